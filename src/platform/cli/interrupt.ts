import { onStopSignal } from '../signals/stop-signals.js';
import { InterruptedError } from './errors.js';
import { note } from './output.js';

/**
 * Runs `work` with a signal that Ctrl-C fires: the work stops where it can go on later, and the command ends with exit
 * code 130 and `howToResume`. A second Ctrl-C ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, howToResume: string): Promise<T> {
  const controller = new AbortController();
  const stopListening = onStopSignal(() => {
    note('\nStopping; press Ctrl-C again to end at once.');
    controller.abort(new InterruptedError(howToResume));
  });
  try {
    const result = await work(controller.signal);
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    controller.signal.throwIfAborted(); // what the work threw because it was stopped says less
    throw error;
  } finally {
    stopListening();
  }
}
