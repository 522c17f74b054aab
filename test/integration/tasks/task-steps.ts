import fc from 'fast-check';
import type { Ended, Loss } from './task-model.js';

/** Ordinary workers, and the cell, which comes last. */
export const WORKERS = 3;
export const CELL = WORKERS - 1;

/** One step of a walk. `at` picks a task, `worker` one of the workers; a stale one uses the fence of an attempt before. */
export type Step =
  | { do: 'enqueue'; key: string | undefined; now: boolean; attempts: number }
  | { do: 'claim'; worker: number; limit: number }
  | { do: 'claim alone' }
  | { do: 'end'; at: number; as: Ended; stale: boolean }
  | { do: 'give back'; at: number; reason: 'backoff' | 'released'; later: boolean; stale: boolean }
  | { do: 'split'; at: number; children: number; stale: boolean }
  | { do: 'run' | 'cancel' | 'retry' | 'retry batches'; at: number }
  | { do: 'lose'; worker: number; loss: Loss }
  | { do: 'die alone'; times: number }
  | { do: 'clear'; which: number }
  | { do: 'promote' };

const at = fc.nat({ max: 40 });
const stale = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const worker = fc.nat({ max: CELL - 1 });
const is = <const T extends string>(...what: T[]): fc.Arbitrary<T> => fc.constantFrom(...what);
const weighted = <T extends Step>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(
    3,
    fc.record({
      do: is('enqueue'),
      key: fc.constantFrom(undefined, undefined, 'a'),
      now: fc.nat({ max: 5 }).map((n) => n > 0),
      attempts: fc.integer({ min: 1, max: 3 }),
    }),
  ),
  weighted(5, fc.record({ do: is('claim'), worker, limit: fc.integer({ min: 1, max: 4 }) })),
  weighted(3, fc.record({ do: is('claim alone') })),
  weighted(5, fc.record({ do: is('end'), at, as: is('completed', 'failed', 'failed', 'cancelled'), stale })),
  weighted(2, fc.record({ do: is('give back'), at, reason: is('backoff', 'released'), later: fc.boolean(), stale })),
  weighted(4, fc.record({ do: is('split'), at, children: fc.integer({ min: 1, max: 3 }), stale })),
  weighted(6, fc.record({ do: is('run', 'cancel', 'retry', 'retry batches'), at })),
  weighted(1, fc.record({ do: is('lose'), worker, loss: is('ended', 'lost') })),
  weighted(2, fc.record({ do: is('lose'), worker: fc.constant(CELL), loss: is('ended', 'lost', 'lost', 'witnessed') })),
  weighted(2, fc.record({ do: is('die alone'), times: fc.integer({ min: 1, max: 3 }) })),
  weighted(2, fc.record({ do: is('clear'), which: fc.nat({ max: 5 }) })),
  weighted(1, fc.record({ do: is('promote') })),
);

export const walks: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 1, maxLength: 150, size: 'max' });
