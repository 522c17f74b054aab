/**
 * A second signal within this time is the first one's echo: on Ctrl-C the terminal signals npm and us, and npm passes its
 * own on to us. Larger makes an impatient person press a third time.
 */
const ECHO_MS = 500;
const INTERRUPTED_EXIT_CODE = 130;

/**
 * Calls `onFirst` at the first SIGINT or SIGTERM; the next one ends the process at once. Gives a function that listens no
 * more, after which Ctrl-C is again what it was.
 */
export function onStopSignal(onFirst: (signal: NodeJS.Signals) => void): () => void {
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      onFirst(signal);
    } else if (performance.now() - firstAt > ECHO_MS) {
      process.exit(INTERRUPTED_EXIT_CODE);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}
