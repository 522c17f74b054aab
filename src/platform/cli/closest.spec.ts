import { closest } from './closest.js';

describe('closest', () => {
  const commands = ['create', 'list', 'revoke'];

  it.each([
    ['lst', 'list'],
    ['craete', 'create'],
    ['revok', 'revoke'],
    ['list', 'list'],
  ])('takes %s for %s', (word, meant) => {
    expect(closest(word, commands)).toBe(meant);
  });

  it.each(['x', 'frobnicate', ''])('has no idea what %p means', (word) => {
    expect(closest(word, commands)).toBeUndefined();
  });

  it('has nothing to offer where there is nothing', () => {
    expect(closest('list', [])).toBeUndefined();
  });
});
