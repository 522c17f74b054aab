import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../support/child.js';
import { startHttp, type StartedHttp } from '../../support/start-http.js';
import { waitFor } from '../../support/wait-for.js';

interface Example {
  readonly path: string;
  readonly body: object;
  /** The answer that the page shows, where it shows one. */
  readonly answer?: unknown;
}

const BLOCK = /```(sh|json)\n([\s\S]*?)```/g;
const CALL = /^post (\S+) '([\s\S]*?)'$/gm;

/** Every `post …` of the page, in order; a JSON block is the answer to the last call before it. */
function examplesOf(page: string): Example[] {
  const examples: Example[] = [];
  for (const [, language, text = ''] of page.matchAll(BLOCK)) {
    if (language === 'json') {
      const last = examples.pop();
      if (last) examples.push({ ...last, answer: JSON.parse(text) as unknown });
    } else {
      for (const [, path = '', body = ''] of text.matchAll(CALL)) {
        examples.push({ path, body: JSON.parse(body) as object });
      }
    }
  }
  return examples;
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** An answer without what differs each time: ids, times, and who asked. */
const shapeOf = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer), (key, value: unknown) => {
    if (key === 'requested_by') return 'someone';
    return typeof value === 'string' ? (TIME.test(value) ? 'time' : value.replace(UUID, 'id')) : value;
  });

describe('docs/external-workers.md', () => {
  let http: StartedHttp;

  beforeAll(async () => {
    http = await startHttp();
  });
  afterAll(() => http.close());

  it('shows calls that work as they stand there, and their answers', async () => {
    const examples = examplesOf(await readFile(join(PROJECT_ROOT, 'docs', 'external-workers.md'), 'utf8'));
    const claim = examples.find(({ path }) => path === '/external/claim');
    let attemptId = '';
    const post = async ({ path, body }: Example) => {
      const role = /claim|attempts/.test(path) ? 'worker' : 'operator';
      const answer = await http
        .as(role)
        .post(`/api${path.replace('$ATTEMPT', attemptId)}`)
        .send(body);
      const given = answer.body as { attempts?: { attempt_id: string }[]; outcome?: string };
      attemptId = given.attempts?.[0]?.attempt_id ?? attemptId;
      return { status: answer.status, given };
    };
    for (const example of examples) {
      const { status, given } = await post(example);
      expect([example.path, status]).toEqual([example.path, expect.any(Number)]);
      expect(status).toBeLessThan(300);
      if (example.answer !== undefined) expect(shapeOf(given)).toEqual(shapeOf(example.answer));
      if (given.outcome === 'retry' && claim) {
        await waitFor('the next attempt', async () => (await post(claim)).given.attempts?.length, {
          timeoutMs: 30_000,
        });
      }
    }
    expect(examples.map(({ path }) => path.replace(/.*\//, ''))).toEqual([
      'types',
      'tasks',
      'claim',
      'heartbeat',
      'fail',
      'complete',
    ]);
  });

  it('has a row for each error that workers meet, and no other', async () => {
    const page = await readFile(join(PROJECT_ROOT, 'docs', 'external-workers.md'), 'utf8');
    const errors = await readFile(join(PROJECT_ROOT, 'docs', 'errors.md'), 'utf8');
    const codes = [...page.matchAll(/^\| (\d{3}) `([a-z_]+)`/gm)].map(
      ([, status = '', code = '']) => `${code} ${status}`,
    );
    const known = [...errors.matchAll(/^\| *`([a-z0-9_]+)` *\| *(\d{3}) *\|/gm)].map(
      ([, code, status]) => `${code} ${status}`,
    );
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !known.includes(code))).toEqual([]);
  });
});
