/** CPU time in ms that this process has spent on `work`: unlike the clock, it does not run while others have the machine. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return process.cpuUsage(before).user / 1_000;
}
