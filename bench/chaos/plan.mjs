/** Which faults come in which order, how long after the one before, and upon whom: the same for the same seed. */
export function planFaults({ faults, count, members, random }) {
  const total = faults.reduce((sum, { weight }) => sum + weight, 0);
  return Array.from({ length: count }, () => ({
    fault: chosen(faults, random() * total),
    afterMs: 1_500 + random() * 2_000,
    member: Math.floor(random() * members),
    seed: Math.floor(random() * 2 ** 32),
  }));
}

function chosen(faults, point) {
  let left = point;
  return faults.find(({ weight }) => (left -= weight) < 0) ?? faults.at(-1);
}
