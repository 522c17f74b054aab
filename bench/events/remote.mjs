import { fork } from 'node:child_process';
import { join } from 'node:path';
import { atEnd } from '../harness/clean-up.mjs';

/** Another process that does what it is told, one command at a time. */
export class Remote {
  #child;

  constructor(script) {
    this.#child = fork(join(import.meta.dirname, script), [], { stdio: ['ignore', 2, 2, 'ipc'] });
    atEnd(() => this.#child.kill('SIGKILL'));
  }

  get pid() {
    return this.#child.pid;
  }

  tell(command, job = {}) {
    return new Promise((resolve, reject) => {
      const gone = (code) => reject(new Error(`the process for ${command} ended: ${code}`));
      this.#child.once('exit', gone);
      this.#child.once('message', (answer) => {
        this.#child.off('exit', gone);
        if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer.outcome);
      });
      this.#child.send({ command, ...job });
    });
  }
}
