import { checkNode } from './environment-checks.js';

describe('checkNode', () => {
  it.each([
    ['18.20.4', 'fail'],
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['24.21.0', 'ok'],
  ])('finds Node %s %s', (version, level) => {
    expect(checkNode(version).level).toBe(level);
  });
});
