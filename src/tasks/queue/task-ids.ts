import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;
/** Drawn ahead, for so many ids: one by one they would cost more than the insert. */
const IDS_A_DRAW = 256;
let drawn = Buffer.alloc(0);
let used = 0;
let lastMs = 0;
let sequence = 0;

/**
 * Ids for tasks that are added together: UUID v7, each greater than all that this process gave before, so that the order
 * of ids is that of creation.
 */
export function newTaskIds(count: number): string[] {
  return Array.from({ length: count }, () => {
    const own = drawRandom();
    const now = Date.now();
    if (now > lastMs) {
      lastMs = now;
      sequence = own.readUInt32BE(0) >>> 1; // the upper half is room to count in
    } else {
      sequence += 1; // also when the clock was set back
    }
    return v7({ msecs: lastMs, seq: sequence, random: own });
  });
}

function drawRandom(): Buffer {
  if (used === drawn.length) {
    drawn = randomBytes(RANDOM_BYTES * IDS_A_DRAW);
    used = 0;
  }
  return drawn.subarray(used, (used += RANDOM_BYTES));
}
