import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withResolvers } from '../harness/with-resolvers.mjs';

const script = fileURLToPath(new URL('./drain-process.mjs', import.meta.url));

/** Processes that drain one store together, each with a contender of its own. They end with this process. */
export class DrainCrew {
  #children = [];
  /** By each child, since it was opened. */
  #done = new Map();
  #onDone = () => undefined;

  static async open(processes, job) {
    const crew = new DrainCrew();
    for (let n = 0; n < processes; n++) crew.#add();
    await crew.#tell(job, 'open');
    return crew;
  }

  /** Resolves once they have done so many tasks more; `stop` follows. */
  async drain(count) {
    const before = this.#total();
    const { promise, resolve } = withResolvers();
    this.#onDone = () => {
      if (this.#total() - before >= count) resolve();
    };
    await Promise.all([this.#tell('start'), promise]);
  }

  stop() {
    return this.#tell('stop');
  }

  close() {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #add() {
    const child = fork(script, [], { stdio: ['ignore', 2, 2, 'ipc'] });
    process.once('exit', () => child.kill('SIGKILL'));
    child.on('message', ({ done }) => {
      if (done === undefined) return;
      this.#done.set(child, done);
      this.#onDone();
    });
    this.#children.push(child);
  }

  #total() {
    return [...this.#done.values()].reduce((sum, done) => sum + done, 0);
  }

  async #tell(order, answer = order) {
    await Promise.all(
      this.#children.map(
        (child) =>
          new Promise((resolve, reject) => {
            child.on('message', function hear({ obeyed, error }) {
              if (obeyed !== answer && error === undefined) return;
              child.off('message', hear);
              if (error === undefined) resolve();
              else reject(new Error(error));
            });
            child.once('exit', () => reject(new Error('a draining process ended early')));
            child.send(order);
          }),
      ),
    );
  }
}
