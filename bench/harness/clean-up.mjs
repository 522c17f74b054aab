const steps = [];
let running = Promise.resolve();

/** Has `step` run when the benchmark ends, however it ends; the newest first. */
export function atEnd(step) {
  steps.push(step);
}

/** Ends once nothing is left to clean up, also when a signal and the regular end ask for it at the same time. */
export function cleanUp() {
  running = running.then(runSteps);
  return running;
}

/** A step that fails must not keep the others from running: what is left behind is a server or a temporary folder. */
async function runSteps() {
  while (steps.length > 0) {
    try {
      await steps.pop()();
    } catch (error) {
      process.stderr.write(`bench: clean-up: ${error.message}\n`);
    }
  }
}
