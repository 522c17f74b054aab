import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { Engine } from '../../support/engine-harness.js';
import { type Step, walks } from './task-steps.js';
import { Walk } from './task-walk.js';

/** Random steps in all; MODEL_STEPS in the environment makes it a longer search, MODEL_SEED repeats one. */
const STEPS = Number(process.env.MODEL_STEPS ?? 100_000);
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 1_000_000_000));
/** Walks at once, each lane in a database of its own, because rescue and promotion are for all queues. */
const LANES = 4;
/** Each step checks what it gave; looking at all rows costs as much as several steps. */
const CHECK_EVERY = 5;
const WALKS_A_ROUND = 10;
/** Ten times what it takes, for a busy machine. */
const MS_A_STEP = 10;

let lanes: { database: TestDatabase; engine: Engine }[] = [];

beforeAll(async () => {
  for (let lane = 0; lane < LANES; lane += 1) {
    const database = await createTestDatabase();
    lanes.push({ database, engine: await Engine.open(database.url) });
  }
});

afterAll(async () => {
  for (const { database, engine } of lanes) {
    await engine.close();
    await database.drop();
  }
  lanes = [];
});

/** Gives how many steps there was something to do for. */
async function walk(engine: Engine, steps: readonly Step[]): Promise<number> {
  const one = new Walk(engine);
  let taken = 0;
  await one.start();
  try {
    for (const step of steps) {
      if (!(await one.take(step))) continue;
      taken += 1;
      if (taken % CHECK_EVERY === 0) await one.check();
    }
    await one.check();
    await one.checkHistory();
  } finally {
    await one.end();
  }
  return taken;
}

describe('whatever happens to tasks', () => {
  it(
    'leaves them, and their audit trail, as the table of transitions says',
    async () => {
      let left = STEPS;
      let round = 0;
      const work = async ({ engine }: { engine: Engine }): Promise<void> => {
        while (left > 0) {
          const property = fc.asyncProperty(walks, async (steps) => {
            const taken = await walk(engine, steps);
            left -= taken; // which others have changed meanwhile
          });
          await fc.assert(property, { numRuns: WALKS_A_ROUND, seed: SEED + round++, endOnFailure: false });
        }
      };
      await Promise.all(lanes.map(work));
      expect(left).toBeLessThanOrEqual(0);
    },
    60_000 + STEPS * MS_A_STEP,
  );
});
