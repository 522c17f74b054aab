import type { Sql } from '../../platform/database/transaction.js';
import type { TaskStatus } from '../task-state.js';
import { CHUNK_OF_BULK, NODES_BEHIND } from './bulk.sql.js';

interface Place {
  readonly bulkId: string;
  /** Of the chunk that is carried out. */
  readonly position: number;
  readonly statuses: readonly TaskStatus[];
}

/**
 * Nodes of the workflows of tasks `ids` that a later chunk of the operation holds. They are to be cancelled with these: left
 * for their turn, they would fail because of them. Tasks lie in chunks by id, and the nodes of a workflow have ids next to
 * each other, so few chunks are looked at.
 */
export async function nodesAhead(sql: Sql, ids: readonly string[], place: Place): Promise<string[]> {
  const behind = await sql.query<{ id: string }>(NODES_BEHIND, [ids, ids.at(-1), place.statuses]);
  const last = behind.at(-1)?.id;
  if (last === undefined) return [];
  const nodes = new Set(behind.map(({ id }) => id));
  const chosen: string[] = [];
  for (let position = place.position + 1; ; position += 1) {
    const [chunk] = await sql.query<{ task_ids: string[] }>(CHUNK_OF_BULK, [place.bulkId, position]);
    chosen.push(...(chunk?.task_ids.filter((id) => nodes.has(id)) ?? []));
    if ((chunk?.task_ids.at(-1) ?? last) >= last) return chosen;
  }
}
