import { AccessModule, systemActor, TokenService } from '../../../src/access/index.js';
import { AuditService } from '../../../src/access/audit.service.js';
import { Authenticator } from '../../../src/access/authenticator.js';
import { BELIEVED_FOR_MS } from '../../../src/access/token-cache.js';
import { Clock } from '../../../src/platform/clock/clock.js';
import { startPlatform, type StartedPlatform } from '../../support/start-platform.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const ANNA = systemActor('anna');
const MINUTE_MS = 60_000;

describe('tokens', () => {
  let database: TestDatabase;
  let here: StartedPlatform;
  let tokens: TokenService;

  beforeAll(async () => {
    database = await createTestDatabase();
    here = await startPlatform(database, [AccessModule]);
    tokens = here.app.get(TokenService);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await here.database.query('TRUNCATE access_events, tokens');
  });
  afterAll(async () => {
    await here.close();
    await database.drop();
  });

  const authenticate = (secret: string, at = here): ReturnType<Authenticator['authenticate']> =>
    at.app.get(Authenticator).authenticate(`Bearer ${secret}`);
  const setTime = (time: number): void =>
    void jest.spyOn(here.app.get(Clock), 'now').mockImplementation(() => new Date(time));
  /** Lets the memory of tokens run out without waiting for it. */
  const forgetBeliefs = (): void => {
    const now = performance.now() + BELIEVED_FOR_MS;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  };

  it('let their holder in, and are stored as a hash', async () => {
    const { token, secret } = await tokens.create({ name: 'phone', role: 'operator' }, ANNA);
    expect(await authenticate(secret)).toEqual({
      role: 'operator',
      actor: { kind: 'token', id: token.id, name: 'phone', label: 'token:phone' },
    });
    const rows = await here.database.query<{ row: string }>('SELECT tokens::text AS row FROM tokens');
    expect(rows.filter(({ row }) => row.includes(secret) || row.includes(secret.slice(12)))).toEqual([]);
  });

  it('let nobody else in', async () => {
    const { secret } = await tokens.create({ name: 'phone', role: 'admin' }, ANNA);
    const authenticator = here.app.get(Authenticator);
    await expect(authenticate(`${secret.slice(0, -1)}~`)).rejects.toMatchObject({ code: 'token_invalid' });
    for (const header of [undefined, '', secret, `Basic ${secret}`, 'Bearer', `Bearer ${secret} x`]) {
      await expect(authenticator.authenticate(header)).rejects.toMatchObject({
        kind: 'unauthorized',
        code: 'token_missing',
      });
    }
  });

  it('expire at their time, also while they are believed', async () => {
    const start = Date.now();
    setTime(start);
    const { secret } = await tokens.create(
      { name: 'guest', role: 'viewer', expiresAt: new Date(start + MINUTE_MS) },
      ANNA,
    );
    await authenticate(secret);
    setTime(start + MINUTE_MS - 1);
    expect((await authenticate(secret)).role).toBe('viewer');
    setTime(start + MINUTE_MS);
    await expect(authenticate(secret)).rejects.toMatchObject({ code: 'token_expired' });
  });

  it('cannot expire in the past', async () => {
    const request = { name: 'late', role: 'viewer', expiresAt: new Date(0) } as const;
    await expect(tokens.create(request, ANNA)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'token_expires_in_the_past',
    });
  });

  it('stop working when they are revoked: here at once, in other processes within five seconds', async () => {
    const { token, secret } = await tokens.create({ name: 'lost', role: 'viewer' }, ANNA);
    await using elsewhere = await startPlatform(database, [AccessModule]);
    await authenticate(secret);
    await authenticate(secret, elsewhere);
    await tokens.revoke(token.id, ANNA);
    await expect(authenticate(secret)).rejects.toMatchObject({ code: 'token_revoked' });
    expect((await authenticate(secret, elsewhere)).role).toBe('viewer'); // still believed there
    forgetBeliefs();
    await expect(authenticate(secret, elsewhere)).rejects.toMatchObject({ code: 'token_revoked' });
  });

  it('ask the database once for many requests', async () => {
    const { secret } = await tokens.create({ name: 'busy', role: 'viewer' }, ANNA);
    await authenticate(secret);
    const lookUp = jest.spyOn(here.database.dataSource.manager, 'findOneBy');
    for (let request = 0; request < 50; request += 1) await authenticate(secret);
    expect(lookUp).not.toHaveBeenCalled();
  });

  it('note their use once a minute at most', async () => {
    const start = Date.now();
    setTime(start);
    const { token, secret } = await tokens.create({ name: 'phone', role: 'viewer' }, ANNA);
    const usedAt = async (now: number): Promise<number | undefined> => {
      setTime(now);
      forgetBeliefs();
      await authenticate(secret);
      return (await tokens.get(token.id)).lastUsedAt?.getTime();
    };
    expect([await usedAt(start), await usedAt(start + MINUTE_MS), await usedAt(start + MINUTE_MS + 1)]).toEqual([
      start,
      start,
      start + MINUTE_MS + 1,
    ]);
  });

  it('have a name of their own until they are revoked', async () => {
    const { token } = await tokens.create({ name: 'phone', role: 'viewer' }, ANNA);
    await expect(tokens.create({ name: 'phone', role: 'admin' }, ANNA)).rejects.toMatchObject({
      code: 'token_name_taken',
    });
    const { token: other } = await tokens.create({ name: 'other', role: 'viewer' }, ANNA);
    await expect(tokens.rename(other.id, 'phone', ANNA)).rejects.toMatchObject({
      kind: 'conflict',
      code: 'token_name_taken',
    });
    await tokens.revoke(token.id, ANNA);
    expect((await tokens.rename(other.id, 'phone', ANNA)).name).toBe('phone');
    await expect(tokens.rename(token.id, 'again', ANNA)).rejects.toMatchObject({ code: 'token_is_revoked' });
  });

  it('are found by name, id, its beginning and the beginning of their secret', async () => {
    const { token } = await tokens.create({ name: 'phone', role: 'viewer' }, ANNA);
    for (const handle of ['phone', token.id, token.id.slice(0, 30).toUpperCase(), token.prefix]) {
      expect((await tokens.getByHandle(handle)).id).toBe(token.id);
    }
    await expect(tokens.getByHandle('nobody')).rejects.toMatchObject({ kind: 'not-found', code: 'token_not_found' });
    const { token: other } = await tokens.create({ name: 'other', role: 'viewer' }, ANNA);
    const lengths = Array.from({ length: token.id.length }, (_, length) => length);
    const shared = token.id.slice(
      0,
      lengths.findLast((length) => other.id.startsWith(token.id.slice(0, length))),
    );
    await expect(tokens.getByHandle(shared)).rejects.toMatchObject({ kind: 'conflict', code: 'token_ambiguous' });
  });

  it('are listed in pages, newest first', async () => {
    for (const name of ['one', 'two', 'three']) await tokens.create({ name, role: 'viewer' }, ANNA);
    const first = await tokens.list({ limit: 2 });
    const second = await tokens.list({ limit: 2, before: first.next });
    expect([first, second].map(({ items, next }) => [items.map(({ name }) => name), next])).toEqual([
      [['three', 'two'], first.items[1]?.id],
      [['one'], undefined],
    ]);
  });

  it('leave a trail of what was done to them, and none of what was not', async () => {
    const { token } = await tokens.create({ name: 'phone', role: 'viewer' }, ANNA);
    await tokens.rename(token.id, 'tablet', ANNA);
    await tokens.rename(token.id, 'tablet', ANNA);
    const ben = systemActor('ben');
    await tokens.revoke(token.id, ben);
    const revoked = await tokens.revoke(token.id, ANNA);
    expect(revoked.revokedBy).toBe('system:ben');
    await expect(tokens.create({ name: 'x', role: 'viewer', expiresAt: new Date(0) }, ANNA)).rejects.toThrow();
    const { items } = await here.app.get(AuditService).list({ limit: 10 });
    expect(items.map(({ action, actor, tokenName, details }) => ({ action, actor, tokenName, details }))).toEqual([
      { action: 'token.revoked', actor: 'system:ben', tokenName: 'tablet', details: {} },
      { action: 'token.renamed', actor: 'system:anna', tokenName: 'tablet', details: { earlier_name: 'phone' } },
      {
        action: 'token.created',
        actor: 'system:anna',
        tokenName: 'phone',
        details: { role: 'viewer', expires_at: null },
      },
    ]);
  });
});
