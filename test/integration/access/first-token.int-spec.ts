import { AccessModule, FirstToken, systemActor, TokenService } from '../../../src/access/index.js';
import { Authenticator } from '../../../src/access/authenticator.js';
import { startPlatform, type StartedPlatform } from '../../support/start-platform.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

describe('the first token', () => {
  let database: TestDatabase;
  let platform: StartedPlatform;

  beforeAll(async () => {
    database = await createTestDatabase();
    platform = await startPlatform(database, [AccessModule]);
  });
  afterEach(async () => {
    await platform.database.query('TRUNCATE access_events, tokens');
  });
  afterAll(async () => {
    await platform.close();
    await database.drop();
  });

  const ensure = (bootstrap?: string): Promise<string | undefined> => platform.app.get(FirstToken).ensure(bootstrap);
  const whoHas = (secret: string) => platform.app.get(Authenticator).authenticate(`Bearer ${secret}`);
  const names = async (): Promise<string[]> =>
    (await platform.app.get(TokenService).list({ limit: 100 })).items.map(({ name }) => name);

  it('is made once, however many starts happen at once', async () => {
    const shown = (await Promise.all(Array.from({ length: 10 }, () => ensure()))).filter(
      (secret) => secret !== undefined,
    );
    expect(shown).toEqual([expect.stringMatching(/^ps_[\w-]{43}$/)]);
    expect(await whoHas(shown[0] ?? '')).toMatchObject({ role: 'admin', actor: { label: 'token:first-admin' } });
    expect(await ensure()).toBeUndefined();
  });

  it('is not made when there ever was a token, in force or not', async () => {
    const tokens = platform.app.get(TokenService);
    const { token } = await tokens.create({ name: 'mine', role: 'viewer' }, systemActor('test'));
    await tokens.revoke(token.id, systemActor('test'));
    expect(await ensure()).toBeUndefined();
  });

  it('is the one from outside when there is one, which is shown to nobody and works over restarts', async () => {
    const secret = 'a-secret-of-at-least-thirty-two-characters';
    expect([await ensure(secret), await ensure(secret), await ensure()]).toEqual([undefined, undefined, undefined]);
    expect(await names()).toEqual(['bootstrap']);
    expect(await whoHas(secret)).toMatchObject({ role: 'admin', actor: { label: 'token:bootstrap' } });
  });

  it('from outside can change: the new one works as well', async () => {
    const [earlier, later] = [
      'the-first-secret-of-thirty-two-characters',
      'the-second-secret-of-thirty-two-characters',
    ];
    await ensure(earlier);
    await ensure(later);
    expect(await names()).toEqual([expect.stringMatching(/^bootstrap-[0-9a-f]{8}$/), 'bootstrap']);
    expect([(await whoHas(earlier)).role, (await whoHas(later)).role]).toEqual(['admin', 'admin']);
  });

  it('from outside stays revoked once it is', async () => {
    const secret = 'another-secret-of-thirty-two-characters';
    await ensure(secret);
    const tokens = platform.app.get(TokenService);
    await tokens.revoke((await tokens.getByHandle('bootstrap')).id, systemActor('test'));
    await ensure(secret);
    await expect(whoHas(secret)).rejects.toMatchObject({ kind: 'unauthorized', code: 'token_revoked' });
  });
});
