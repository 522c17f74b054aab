import { displayPrefix, hashOf, newSecret } from './secret.js';

describe('a secret', () => {
  it('is ps_ and 32 random bytes', () => {
    const secrets = Array.from({ length: 100 }, newSecret);
    expect(secrets.every((secret) => /^ps_[\w-]{43}$/.test(secret))).toBe(true);
    expect(new Set(secrets).size).toBe(100);
  });

  it('is stored as its SHA-256', () => {
    expect(hashOf('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('is recognised by its beginning, of which less is shown when somebody made it up', () => {
    expect([
      displayPrefix(`ps_${'A1b2C3d4'.repeat(5)}xyz`),
      displayPrefix('correct-horse-battery-staple-12345'),
    ]).toEqual(['ps_A1b2C3d4', 'corr']);
  });
});
