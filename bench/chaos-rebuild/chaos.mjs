import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from '../harness/clean-up.mjs';
import { freePort } from '../harness/free-port.mjs';
import { product } from '../harness/product.mjs';
import { seededRandom } from '../harness/random.mjs';
import { Api, Member, postmasterPid } from './crew.mjs';
import { violations, Witness } from './witness.mjs';

const SIZES = [128, 256];
/** Beyond this a recovery counts as failed. */
export const RECOVERY_LIMIT_MS = 15_000;

/**
 * Rebuilds a catalogue over and over with an API and two workers, and kills one of them, or the database, at random
 * moments. Then lets it finish, and has the rows checked.
 *
 * @param {{ kills: number, photos: number, seed: number, log: (line: string) => void }} options
 * @returns {Promise<{ recoveriesMs: Record<string, number[]>, rebuilds: number, violations: object[], folder: string }>}
 */
export async function chaos({ kills, photos, seed, log }) {
  const folder = await mkdtemp(join(tmpdir(), 'photosafe-chaos-'));
  const dataDir = join(folder, 'data');
  const token = randomBytes(24).toString('hex');
  const port = await freePort();
  await makePhotos(join(folder, 'photos'), photos, seed);
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    DATABASE_URL: '',
    PG_DSN: '',
    POSTGRES_HOST: '',
    PHOTOSAFE_DATA_DIR: dataDir,
    PHOTOSAFE_BOOTSTRAP_TOKEN: token,
    PHOTOSAFE_THUMBNAIL_SIZES: SIZES.join(','),
    PHOTOSAFE_DECODER_PROCESSES: '1',
    PORT: String(port),
    LOG_LEVEL: 'info',
  };
  await mkdir(dataDir, { recursive: true });
  const crew = new Map(
    [
      ['api', ['serve', '--role', 'api']],
      ['worker-1', ['worker']],
      ['worker-2', ['worker']],
    ].map(([name, args]) => [name, new Member(name, args, env, join(folder, `${name}.log`))]),
  );
  const witness = new Witness(dataDir);
  const api = new Api(`http://127.0.0.1:${port}`, token);
  const stop = async () => {
    await witness.close();
    await Promise.all([...crew.values()].map((member) => member.stop()));
  };
  atEnd(stop);
  const run = new Run({ crew, witness, api, dataDir, random: seededRandom(seed), log });
  await api.request('GET', '/health/ready', undefined, 120_000);
  await run.begin(join(folder, 'photos'), photos);
  for (let number = 1; number <= kills; number += 1) await run.killOne(number);
  await run.finish();
  const wrong = await violations(witness, { photos, sizes: SIZES.length });
  await stop();
  if (wrong.length === 0) await rm(folder, { recursive: true, force: true });
  return { recoveriesMs: run.recoveriesMs, rebuilds: run.rebuilds, violations: wrong, folder };
}

class Run {
  recoveriesMs = {};
  rebuilds = 0;

  constructor(parts) {
    Object.assign(this, parts);
  }

  async begin(photosFolder) {
    const catalog = await this.api.post('/catalogs', { name: 'chaos', roots: [photosFolder] });
    this.catalogId = catalog.id;
    await this.rebuild(false);
  }

  async rebuild(force) {
    const task = await this.api.post('/jobs/rebuild', { catalog_id: this.catalogId, force });
    this.taskId = task.id;
    this.rebuilds += 1;
  }

  /** There is always something to interrupt: a rebuild that has completed is followed by one that does it all again. */
  async keepBusy() {
    const [row] = await this.witness.query(`SELECT status FROM tasks WHERE id = $1`, [this.taskId]);
    if (row?.status === 'failed') throw new Error(`rebuild ${this.taskId} failed`);
    if (row?.status === 'completed') await this.rebuild(true);
  }

  async killOne(number) {
    await this.keepBusy();
    await sleep(200 + this.random() * 1_300);
    const names = [...this.crew.keys(), 'postgres'];
    const victim = names[Math.floor(this.random() * names.length)];
    const at = new Date();
    if (victim === 'postgres') {
      const pid = await postmasterPid(this.dataDir);
      if (pid === undefined) return;
      process.kill(pid, 'SIGKILL');
    } else {
      this.crew.get(victim).kill();
    }
    const ms = victim === 'api' ? await this.apiIsBack(at) : await this.workGoesOn(at);
    (this.recoveriesMs[victim] ??= []).push(ms);
    this.log(`kill ${number}: ${victim}, recovered after ${ms} ms`);
  }

  async apiIsBack(since) {
    await this.api.request('GET', '/health/ready', undefined, 60_000);
    return Date.now() - since.getTime();
  }

  /** Until no task is left with a worker that is gone, and somebody has taken or ended a task. */
  async workGoesOn(since) {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
      const [{ orphans, moved }] = await this.witness.query(
        `SELECT (SELECT count(*)::int FROM live_tasks t JOIN task_workers w ON w.id = t.worker_id
             WHERE t.status = 'running' AND w.seen_at < $1) AS orphans,
           (SELECT min(at) FROM task_history WHERE at > $1 AND reason IN ('claimed', 'completed')) AS moved`,
        [since],
      );
      if (orphans === 0 && moved) return Date.now() - since.getTime();
      await this.keepBusy();
    }
    throw new Error('work did not go on within a minute');
  }

  async finish() {
    for (const deadline = Date.now() + 300_000; Date.now() < deadline; await sleep(200)) {
      const [row] = await this.witness.query(`SELECT status FROM tasks WHERE id = $1`, [this.taskId]);
      const [{ left }] = await this.witness.query(`SELECT count(*)::int AS left FROM live_tasks`);
      if (left === 0 && row?.status !== 'running') return;
    }
    throw new Error('the last rebuild did not finish within five minutes');
  }
}

async function makePhotos(folder, count, seed) {
  const { generatePlainPhotos } = await product('catalogs/sample-library/generate-plain-photos');
  await mkdir(folder, { recursive: true });
  await generatePlainPhotos(folder, count, { megapixels: 4, seed });
}
