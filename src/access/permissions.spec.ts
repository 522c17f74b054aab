import { type Role, ROLES } from '../platform/http/declared-access.js';
import { permits } from './permissions.js';

describe('permits', () => {
  it('lets each role do what the roles say and nothing else', () => {
    const allowed = (role: Role): Role[] => ROLES.filter((asked) => permits(role, [asked]));
    expect(Object.fromEntries(ROLES.map((role) => [role, allowed(role)]))).toEqual({
      viewer: ['viewer'],
      operator: ['viewer', 'operator'],
      worker: ['worker'],
      admin: ['viewer', 'operator', 'worker', 'admin'],
    });
  });

  it('takes any of several roles', () => {
    expect([permits('worker', ['viewer', 'worker']), permits('operator', ['worker', 'admin'])]).toEqual([true, false]);
  });

  it('lets nobody through where nothing is declared', () => {
    expect(ROLES.filter((role) => permits(role, []))).toEqual([]);
  });
});
