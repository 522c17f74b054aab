export const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Whether JSON has more levels of objects and lists than that. Goes level by level: it may be half a million deep. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  let level = [value].filter(isNested);
  for (let depth = 0; depth < levels && level.length > 0; depth += 1) {
    level = level.flatMap((each) => Object.values(each).filter(isNested));
  }
  return level.length > 0;
}
