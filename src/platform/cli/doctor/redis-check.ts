import type { Settings } from '../../config/settings.js';
import { openRedis, redisReason } from '../../redis/open-redis.js';
import { type CheckResult, ok, warn } from './check.js';

const ANSWER_MS = 3_000;
/** What BullMQ recommends. */
const OLDEST_SERVER = [6, 2] as const;

/** Nothing when Redis is not used. It is never worse than a warning: without Redis, PostgreSQL carries the tasks. */
export async function checkRedis({ dispatch, redisUrl: url }: Settings): Promise<CheckResult[]> {
  if (dispatch !== 'redis' || url === undefined) return [];
  const { host } = new URL(url);
  try {
    const client = await openRedis({ url, connectionName: 'photosafe-doctor', answerMs: ANSWER_MS });
    try {
      return [judge(host, await client.info())];
    } finally {
      client.disconnect();
    }
  } catch (error) {
    return [warn('redis', `${host}: ${redisReason(error)}; until it answers, tasks go by PostgreSQL alone`)];
  }
}

function judge(host: string, info: string): CheckResult {
  const facts = new Map(info.split('\r\n').map((line) => line.split(/:(.*)/s).slice(0, 2) as [string, string]));
  const version = facts.get('redis_version') ?? '?';
  const found = `Redis ${version}, ${host}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor < OLDEST_SERVER[1])) {
    return warn('redis', `${found}: ${OLDEST_SERVER.join('.')} or newer is recommended`);
  }
  if (facts.get('role') === 'slave') return warn('redis', `${found} is a replica: give REDIS_URL the primary`);
  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    return warn(
      'redis',
      `${found}: maxmemory-policy is ${policy}; set noeviction, or tasks wait for PostgreSQL to find them`,
    );
  }
  return ok('redis', found);
}
