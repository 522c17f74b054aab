import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;
let lastMs = 0;
let sequence = 0;

/**
 * Ids for tasks that are added together: UUID v7, each greater than all that this process gave before, so that the order
 * of ids is that of creation. The random bytes are drawn at once; one by one they would cost more than the insert.
 */
export function newTaskIds(count: number): string[] {
  const random = randomBytes(RANDOM_BYTES * count);
  return Array.from({ length: count }, (_, i) => {
    const own = random.subarray(i * RANDOM_BYTES, (i + 1) * RANDOM_BYTES);
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
