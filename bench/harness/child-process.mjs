import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atEnd } from './clean-up.mjs';

/** Ends a measurement that hangs; far above what the slowest contender needs. */
const limitMs = 60 * 60_000;

/**
 * Runs `script` in a fresh process, which is given `job` and answers with one message (see {@link answer}). What it
 * prints goes to stderr, to keep stdout for the report.
 */
export function inChildProcess(script, job, { execArgv = [], env = {} } = {}) {
  const child = fork(fileURLToPath(script), [], {
    execArgv: ['--no-deprecation', ...execArgv],
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  atEnd(() => child.kill('SIGKILL'));
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  return new Promise((resolve, reject) => {
    child.once('message', (message) =>
      'error' in message ? reject(new Error(message.error)) : resolve(message.outcome),
    );
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`the measuring process ended early (${signal ?? `exit code ${code}`})`));
    });
    child.send(job);
  });
}

/** The child's side: does the job that it is sent, answers, and ends, whatever is still open. */
export function answer(work) {
  process.once('message', async (job) => {
    const message = await work(job).then(
      (outcome) => ({ outcome }),
      (error) => ({ error: error.stack ?? String(error) }),
    );
    process.send(message, () => process.exit(0));
  });
}
