import { LANE_OF, RANK_OF } from '../queue/lanes.sql.js';

export const ADD_WORKFLOW = `
  INSERT INTO workflows (id, name, requested_by, total, open, weight) VALUES ($1, $2, $3, $4, $4, $5)`;

/** Nodes that wait for none are ready at once; the others are `created`, which no index of the queue holds. */
export const ADD_TASKS = `
  WITH added AS (
    INSERT INTO live_tasks (id, params, type, version, name, queue, priority, max_attempts, timeout_ms, description, status, ready,
      run_at, queued_at, start_by, workflow_id, requested_by, concurrency_key, lane, rank, trace_parent)
    SELECT i.id, i.params, i.type, i.version, i.name, i.queue, i.priority, i.max_attempts, i.timeout_ms, i.description,
      CASE WHEN i.free THEN 'queued' ELSE 'created' END::task_status, i.free AND coalesce(i.run_at <= now(), true), coalesce(i.run_at, now()),
      CASE WHEN i.free THEN now() END, i.start_by, $12, $13, i.key,
      ${LANE_OF({ queue: 'i.queue', type: 'i.type', key: 'i.key' })}, ${RANK_OF({ at: 'greatest(coalesce(i.run_at, now()), now())', priority: 'i.priority', seconds: '$15::int' })}, $16
    FROM unnest($1::uuid[], $2::jsonb[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::text[],
      $11::boolean[], $14::text[], $17::timestamptz[], $18::timestamptz[])
      AS i(id, params, type, version, name, queue, priority, max_attempts, timeout_ms, description, free, key, run_at, start_by)
    RETURNING id, status
  )
  INSERT INTO task_events (task_id, from_status, to_status, attempt, fence, actor, reason)
  SELECT id, CASE WHEN status = 'queued' THEN 'created'::task_status END, status, 0, 0, $13,
    CASE WHEN status = 'queued' THEN 'enqueued' ELSE 'created' END
  FROM added`;

export const ADD_NODES = `
  INSERT INTO workflow_nodes (task_id, workflow_id, name, level, weight, waiting, params, skip_if, reads)
  SELECT i.id, $8, i.name, i.level, i.weight, i.waiting, i.params, i.skip_if, i.reads
  FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::int[], $6::jsonb[], $7::jsonb[], $9::jsonb[])
    AS i(id, name, level, weight, waiting, params, skip_if, reads)`;

export const ADD_EDGES = `
  INSERT INTO workflow_edges (parent_id, child_id, on_failure)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::workflow_failure_policy[])`;
