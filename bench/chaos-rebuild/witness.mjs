import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { postgresHome } from './crew.mjs';

/** Looks into the embedded database from outside, by the files of the data directory alone; reconnects as needed. */
export class Witness {
  #client;

  constructor(dataDir) {
    this.dataDir = dataDir;
  }

  async query(text, values = []) {
    for (let tries = 0; ; tries += 1) {
      try {
        this.#client ??= await this.#connect();
        return (await this.#client.query(text, values)).rows;
      } catch (error) {
        await this.close();
        if (tries > 300) throw error;
        await sleep(100);
      }
    }
  }

  async close() {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #connect() {
    const home = await postgresHome(this.dataDir);
    const pid = await readFile(join(home, 'data', 'postmaster.pid'), 'utf8');
    const [, , , port, socketDir] = pid.split('\n');
    const password = (await readFile(join(home, 'password'), 'utf8')).trim();
    const client = new pg.Client({
      host: socketDir,
      port: Number(port),
      user: 'photosafe',
      password,
      database: 'photosafe',
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}

/**
 * The checks of a run that is over, from the rows alone and independent of the engine's own code. Gives what is wrong.
 */
export async function violations(witness, { photos, sizes }) {
  const wrong = [];
  const none = async (what, sql, values) => {
    const rows = await witness.query(sql, values);
    if (rows.length > 0) wrong.push({ what, count: rows.length, examples: rows.slice(0, 3) });
  };
  await none('a task is still unfinished', `SELECT id, type, status, waiting FROM live_tasks`);
  await none('a task failed', `SELECT id, type, error_code, error_message FROM finished_tasks WHERE status = 'failed'`);
  await none(
    'a task was settled other than once',
    `SELECT task_id, count(*) FROM task_history WHERE to_status IN ('completed', 'failed', 'cancelled')
     GROUP BY task_id HAVING count(*) <> 1`,
  );
  await none(
    'an audit trail has a gap: a move does not begin where the one before it ended',
    `SELECT task_id, id FROM (
       SELECT task_id, id, from_status, lag(to_status) OVER (PARTITION BY task_id ORDER BY id) AS before FROM task_history) e
     WHERE before IS NOT NULL AND from_status IS DISTINCT FROM before`,
  );
  await none(
    'two attempts held a task under the same fence',
    `SELECT task_id, fence FROM task_history WHERE reason = 'claimed' GROUP BY task_id, fence HAVING count(*) > 1`,
  );
  await none(
    'a finished task has no end in its audit trail',
    `SELECT f.id FROM finished_tasks f WHERE NOT EXISTS (
       SELECT 1 FROM task_history e WHERE e.task_id = f.id AND e.to_status = f.status)`,
  );
  await none(
    'a fan-out does not add up to its children',
    `SELECT f.parent_id, f.round FROM task_fan_outs f
     LEFT JOIN finished_tasks c ON c.parent_id = f.parent_id AND c.parent_round = f.round
     GROUP BY f.parent_id, f.round, f.total, f.completed, f.open
     HAVING f.open <> 0 OR count(c.id) <> f.total OR count(c.id) FILTER (WHERE c.status = 'completed') <> f.completed`,
  );
  await none(
    'an image lacks a thumbnail, or has one of another content',
    `SELECT i.id, count(r.*) FROM images i
     LEFT JOIN image_renditions r ON r.image_id = i.id AND r.source_checksum = i.checksum
     GROUP BY i.id HAVING count(r.*) <> $1`,
    [sizes],
  );
  const [{ count }] = await witness.query(`SELECT count(*)::int AS count FROM images WHERE state = 'active'`);
  if (count !== photos) wrong.push({ what: 'the number of images is not that of photos', count, photos });
  return wrong;
}
