import { TestEnvironment } from 'jest-environment-node';
import { setTimeout as sleep } from 'node:timers/promises';

/** What keeps a process alive and is always somebody's to close. */
const WATCHED = new Set([
  'TCPSocketWrap',
  'TCPServerWrap',
  'PipeWrap',
  'PipeServerWrap',
  'UDPWRAP',
  'ProcessWrap',
  'Timeout',
]);

/** How long things that are being closed may take. Smaller fails on a busy machine, larger makes each leak slower to see. */
const SETTLE_MS = 3_000;

/**
 * Fails a test file that leaves connections, servers, child processes or timers behind. Its option `testTimeoutMs` is
 * the time limit of tests and hooks: jest's own `testTimeout` does not work for one project.
 */
export default class LeakCheckingEnvironment extends TestEnvironment {
  before = new Map();

  constructor(config, context) {
    super(config, context);
    // Pipes of this process's own, made when first asked for: a warning on stderr is no leak of the test that caused it.
    void [process.stdout, process.stderr];
    this.testTimeoutMs = config.projectConfig.testEnvironmentOptions.testTimeoutMs;
  }

  async handleTestEvent(event, state) {
    if (event.name === 'setup') {
      this.before = countActive();
      state.testTimeout = this.testTimeoutMs;
    }
    if (event.name === 'run_finish') await this.#refuseLeaks(state);
  }

  async #refuseLeaks(state) {
    const deadline = Date.now() + SETTLE_MS;
    while (this.#leaks().length > 0 && Date.now() < deadline) await sleep(25, undefined, { ref: false });
    const leaks = this.#leaks();
    if (leaks.length > 0) state.unhandledErrors.push(new Error(`This test file leaves behind: ${leaks.join(', ')}`));
  }

  #leaks() {
    return [...countActive()]
      .map(([type, count]) => [type, count - (this.before.get(type) ?? 0)])
      .filter(([, count]) => count > 0)
      .map(([type, count]) => `${count} ${type}`);
  }
}

function countActive() {
  const counts = new Map();
  for (const type of process.getActiveResourcesInfo()) {
    if (WATCHED.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}
