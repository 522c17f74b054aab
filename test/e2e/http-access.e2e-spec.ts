import { Controller, Get, type MessageEvent, Module, Sse } from '@nestjs/common';
import { Readable } from 'node:stream';
import { NEVER, type Observable } from 'rxjs';
import { Roles } from '../../src/access/index.js';
import { type Role, ROLES } from '../../src/platform/http/declared-access.js';
import { Endpoints } from '../../src/platform/http/endpoints.js';
import { openApiDocument } from '../../src/platform/http/openapi.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

@Controller('forgotten')
class ForgottenController {
  @Get()
  getForgotten(): string {
    return 'for everybody';
  }
}

@Module({ controllers: [ForgottenController] })
class ForgottenModule {}

@Controller('endless')
class EndlessController {
  @Sse()
  @Roles('operator')
  streamNothing(): Observable<MessageEvent> {
    return NEVER;
  }
}

@Module({ controllers: [EndlessController] })
class EndlessModule {}

describe('access', () => {
  let http: StartedHttp;

  beforeAll(async () => {
    http = await startHttp([EndlessModule]);
  });
  afterAll(() => http.close());

  it('must be declared by every endpoint, else nothing starts', async () => {
    await expect(startHttp([ForgottenModule])).rejects.toThrow(/not declared: ForgottenController\.getForgotten\./);
  });

  it('is asked for on every endpoint that is not public, and given to the roles that it declares alone', async () => {
    const operations = operationsOf(http);
    expect(operations.length).toBeGreaterThan(10);
    const wrong: string[] = [];
    for (const { id, method, path, isPublic, roles } of operations) {
      for (const role of [undefined, ...ROLES]) {
        const { status } = await http.as(role)[method](path).buffer(false).parse(headersOnly);
        const expected = isPublic ? 'in' : role === undefined ? 401 : roles.includes(role) ? 'in' : 403;
        if ((status === 401 || status === 403 ? status : 'in') !== expected)
          wrong.push(`${id} as ${role ?? 'nobody'}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('needs no token for health, the docs and the description of the API', async () => {
    for (const path of [
      '/api/health/live',
      '/api/health/ready',
      '/api/docs',
      '/api/openapi.json',
      '/api/v1/openapi.json',
    ]) {
      expect([path, (await http.as().get(path)).status]).toEqual([path, 200]);
    }
  });

  it('is the same under /api and /api/v1', async () => {
    const [plain, versioned] = await Promise.all(
      ['/api', '/api/v1'].map((base) => http.as('viewer').get(`${base}/tokens/current`)),
    );
    expect([plain?.status, plain?.body]).toEqual([200, versioned?.body]);
    expect(plain?.body).toMatchObject({ name: 'test-viewer', role: 'viewer', state: 'active' });
  });
});

describe('tokens over HTTP', () => {
  let http: StartedHttp;

  beforeAll(async () => {
    http = await startHttp();
  });
  afterAll(() => http.close());

  it('are made, listed, renamed and revoked; the secret is in one answer only', async () => {
    const admin = http.as('admin');
    const made = await admin
      .post('/api/tokens')
      .send({ name: 'phone', role: 'viewer', expires_at: '2999-01-01T00:00:00Z' });
    const { token, id, ...shown } = made.body as { token: string; id: string };
    expect([made.status, made.headers.location, shown]).toEqual([
      201,
      `/api/tokens/${id}`,
      expect.objectContaining({
        name: 'phone',
        state: 'active',
        created_by: 'token:test-admin',
        prefix: token.slice(0, 11),
      }),
    ]);
    expect((await http.as().get('/api/tokens/current').auth(token, { type: 'bearer' })).body).toMatchObject({ id });

    const others = [
      await admin.get(`/api/tokens/${id}`),
      await admin.get('/api/tokens'),
      await admin.get('/api/audit'),
    ];
    expect(others.map(({ status, text }) => [status, text.includes(token)])).toEqual(others.map(() => [200, false]));

    expect((await admin.patch(`/api/tokens/${id}`).send({ name: 'tablet' })).body).toMatchObject({ name: 'tablet' });
    expect((await admin.delete(`/api/tokens/${id}`)).body).toMatchObject({
      state: 'revoked',
      revoked_by: 'token:test-admin',
    });
    expect((await http.as().get('/api/tokens/current').auth(token, { type: 'bearer' })).body).toMatchObject({
      code: 'token_revoked',
    });
    expect((await admin.delete(`/api/tokens/${id.replace(/^0/, '1')}`)).body).toMatchObject({
      status: 404,
      code: 'token_not_found',
    });
  });

  it('come in pages', async () => {
    const admin = http.as('admin');
    const names: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await admin.get('/api/tokens').query({ limit: 2, with_revoked: false, ...(cursor && { cursor }) });
      const { items, next_cursor: next } = page.body as { items: { name: string }[]; next_cursor: string | null };
      names.push(...items.map(({ name }) => name));
      cursor = next;
    }
    expect(names).toEqual(['test-admin', 'test-worker', 'test-operator', 'test-viewer']);
  });
});

/** An event stream has no end: its status is all that is wanted. */
const headersOnly = (response: object, done: (error: Error | null, body: string) => void): void => {
  done(null, '');
  if (response instanceof Readable) response.destroy();
};

interface Operation {
  readonly id: string;
  readonly method: (typeof METHODS)[number];
  readonly path: string;
  readonly isPublic: boolean;
  readonly roles: readonly Role[];
}

/** What DESIGN says each declared role stands for, spelt out here a second time on purpose. */
const WHO_MAY: Record<Role, readonly Role[]> = {
  viewer: ['viewer', 'operator', 'admin'],
  operator: ['operator', 'admin'],
  worker: ['worker', 'admin'],
  admin: ['admin'],
};

function operationsOf({ app }: StartedHttp): Operation[] {
  const { paths } = openApiDocument(app);
  const declared = new Map(
    app
      .get(Endpoints, { strict: false })
      .list()
      .map(({ method, access }) => [method, access]),
  );
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const id = item[method]?.operationId;
      const access = id === undefined ? undefined : declared.get(id);
      if (id === undefined || access === undefined) return [];
      const roles = access.public ? [] : access.roles.flatMap((role) => WHO_MAY[role]);
      return [
        {
          id,
          method,
          path: path.replace(/\{\w+\}/g, '01a20a53-b875-76ac-905f-a3ae3c5b89b8'),
          isPublic: access.public,
          roles,
        },
      ];
    }),
  );
}
