import { Body, Controller, Get, Logger, Module, Param, Post } from '@nestjs/common';
import { IsInt, IsOptional } from 'class-validator';
import { UuidPipe } from '../../src/platform/http/uuid.pipe.js';
import { Public, Roles } from '../../src/access/index.js';
import { unavailable } from '../../src/platform/errors/app-error.js';
import { startHttp, type StartedHttp } from '../support/start-http.js';

class Anything {
  @IsOptional()
  @IsInt()
  count?: number;
}

/** What no real endpoint does: fail in every way. */
@Controller('test')
class FailingController {
  @Get('bug')
  @Public()
  failByBug(): never {
    throw new TypeError('a secret detail');
  }

  @Get('busy')
  @Public()
  failByLoad(): never {
    throw unavailable('too_busy', 'Too much to do.', { retryAfterMs: 1_500 });
  }

  @Post('optional')
  @Public()
  takeAnything(@Body() { count }: Anything): { count: number } {
    return { count: count ?? 0 };
  }

  @Get('items/:item_id')
  @Roles('viewer')
  getItem(@Param('item_id', UuidPipe) id: string): { id: string } {
    return { id };
  }
}

@Module({ controllers: [FailingController] })
class FailingModule {}

describe('a request that cannot be answered', () => {
  let http: StartedHttp;

  beforeAll(async () => {
    http = await startHttp([FailingModule]);
  });
  afterAll(() => http.close());

  it('is answered by a problem document that carries the id of the request', async () => {
    const { status, type, body, headers } = await http
      .as('viewer')
      .get('/api/nothing?x=1')
      .set('X-Request-Id', 'trace-7');
    expect({ status, type, body: body as unknown }).toEqual({
      status: 404,
      type: 'application/problem+json',
      body: {
        type: 'urn:photosafe:problem:route_not_found',
        title: 'Not found',
        status: 404,
        detail: 'There is nothing at /api/nothing.',
        code: 'route_not_found',
        instance: '/api/nothing',
        request_id: 'trace-7',
      },
    });
    expect(headers['x-request-id']).toBe('trace-7');
  });

  it('gets an id of ours when its own could forge a log line', async () => {
    const { headers } = await http.as().get('/api/health/live').set('X-Request-Id', 'a b"');
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    { what: 'no token', headers: {}, code: 'token_missing', challenge: 'Bearer realm="photosafe"' },
    {
      what: 'an unknown token',
      headers: { Authorization: 'Bearer nope' },
      code: 'token_invalid',
      challenge: 'Bearer realm="photosafe", error="invalid_token"',
    },
  ])('says how to sign in when it has $what', async ({ headers, code, challenge }) => {
    const answer = await http.as().get('/api/tokens').set(headers);
    expect([answer.status, answer.body, answer.headers['www-authenticate']]).toEqual([
      401,
      expect.objectContaining({ code }),
      challenge,
    ]);
  });

  it('tells a path that exists from one that does not to nobody without a token', async () => {
    const statuses = await Promise.all(
      ['/api/nothing', '/api/v1/nothing', '/api', '/nothing'].map(async (path) => (await http.as().get(path)).status),
    );
    expect(statuses).toEqual([401, 401, 401, 401]);
  });

  it('learns which methods a path has', async () => {
    for (const path of ['/api/tokens', '/api/v1/tokens']) {
      const { status, body, headers } = await http.as('viewer').put(path);
      expect([status, body, headers.allow]).toEqual([
        405,
        expect.objectContaining({ code: 'method_not_allowed' }),
        'GET, POST',
      ]);
    }
  });

  it('learns of every wrong field of a body, a query and a path', async () => {
    const body = await http.as('admin').post('/api/tokens').send({ name: '', role: 'god', nme: 1 });
    const query = await http.as('admin').get('/api/tokens?limit=0&cursor=1&foo=2');
    const path = await http.as('viewer').get('/api/test/items/12');
    expect(
      [body, query, path].map(({ status, body }) => [
        status,
        (body as { errors: { field: string }[] }).errors.map(({ field }) => field),
      ]),
    ).toEqual([
      [422, ['nme', 'name', 'role']],
      [422, ['foo', 'limit']],
      [422, ['item_id']],
    ]);
    expect((path.body as { errors: unknown[] }).errors).toEqual([
      { field: 'item_id', message: 'must be a UUID', value: '12', allowed: 'a UUID' },
    ]);
  });

  it.each([
    { what: 'broken JSON', body: '{"count":', status: 400, code: 'malformed_json' },
    { what: 'nothing but spaces', body: ' ', status: 400, code: 'malformed_json' },
    {
      what: 'more than a megabyte',
      body: JSON.stringify({ x: 'x'.repeat(1_100_000) }),
      status: 413,
      code: 'payload_too_large',
    },
    {
      what: 'a form, which nobody would read',
      type: 'application/x-www-form-urlencoded',
      body: 'count=1',
      status: 415,
      code: 'unsupported_media_type',
    },
    {
      what: 'text, which nobody would read',
      type: 'text/plain',
      body: '{"count":1}',
      status: 415,
      code: 'unsupported_media_type',
    },
  ])('is refused for a body of $what', async ({ type = 'application/json', body, status, code }) => {
    const answer = await http.as().post('/api/test/optional').set('Content-Type', type).send(body);
    expect([answer.status, answer.body]).toEqual([status, expect.objectContaining({ code, status })]);
  });

  it.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['text', '"x"'],
    ['a number', ' 5'],
    ['a boolean', 'false'],
  ])('learns that an object is wanted when its body is %s', async (what, body) => {
    for (const path of ['/api/test/optional', '/api/workflows']) {
      const answer = await http.as('operator').post(path).set('Content-Type', 'application/json').send(body);
      expect([answer.status, answer.body]).toEqual([
        422,
        expect.objectContaining({ code: 'validation_failed', detail: `The body must be a JSON object, not ${what}.` }),
      ]);
    }
  });

  it('is refused when its path cannot be decoded', async () => {
    expect((await http.as('viewer').get('/api/test/items/%zz')).body).toMatchObject({
      status: 400,
      code: 'malformed_request',
    });
  });

  it('learns when to try again', async () => {
    const { status, headers, body } = await http.as().get('/api/test/busy');
    expect([status, headers['retry-after'], body]).toEqual([503, '2', expect.objectContaining({ code: 'too_busy' })]);
  });

  it('learns of a bug its id and nothing else, and the log the rest, once', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const { status, text, body } = await http.as().get('/api/test/bug');
    const { error_id: errorId } = body as { error_id: string };
    expect([status, text.includes('secret')]).toEqual([500, false]);
    const bugs = logged.mock.calls
      .map(([line]) => line as { errorId?: string; err?: Error })
      .filter((line) => line.errorId);
    expect(bugs).toEqual([
      {
        message: 'request failed by a bug',
        errorId,
        err: expect.objectContaining({ message: 'a secret detail' }) as unknown,
      },
    ]);
  });
});
