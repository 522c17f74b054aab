import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Cell, CellEnd } from './cell.js';

/** What a cell tells the process that started it. */
type CellMessage = { readonly registered: string } | { readonly leaving: true };

/** The program that a cell runs, with the arguments that make it one. */
export interface CellProgram {
  readonly path: string;
  readonly args: readonly string[];
}

/** PhotoSafe's own command line, seen from the built file of this module. */
const PHOTOSAFE: CellProgram = {
  path: fileURLToPath(new URL('../../../../bin/photosafe.js', import.meta.url)),
  args: ['worker', '--cell'],
};

const STDERR = 2;

/** A cell in a child process. When this process ends, however it does, the cell hears of it and goes as well. */
export function openCellProcess({ path, args }: CellProgram = PHOTOSAFE): Cell {
  return new CellProcess(
    // Standard output may belong to a command's result: a cell only has log lines.
    fork(path, [...args], { stdio: ['ignore', STDERR, STDERR, 'ipc'] }),
  );
}

class CellProcess implements Cell {
  workerId: string | undefined;
  readonly ended: Promise<CellEnd>;
  private leaving = false;

  constructor(private readonly child: ChildProcess) {
    child.on('message', (message: CellMessage) => {
      if ('registered' in message) this.workerId = message.registered;
      else this.leaving = true;
    });
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    // Its last messages may be read after it has ended; the channel closes behind them.
    this.ended = Promise.all([exit, once(child, 'disconnect')]).then(
      ([[code, signal]]) => {
        const how = `its process ended by ${signal ?? `exit code ${String(code)}`}`;
        return this.leaving ? { kind: 'left' } : { kind: 'died', how };
      },
      (error: unknown) => {
        child.kill('SIGKILL');
        return { kind: 'died', how: error instanceof Error ? error.message : String(error) };
      },
    );
  }

  stop(): void {
    this.leaving = true;
    if (this.child.connected) this.child.disconnect();
  }

  kill(): void {
    this.leaving = true;
    this.child.kill('SIGKILL');
  }
}

/** The other end: what a process that is a cell has to do with the one that started it, if any did. */
export class CellDoor {
  /** `leave` is called when the cell is no longer wanted, by itself or because its starter is gone. */
  constructor(private readonly leave: () => void) {
    process.once('disconnect', this.leave);
  }

  /** Dies from here on as this worker. */
  registered(workerId: string): void {
    this.tell({ registered: workerId });
  }

  /** Ends from here on as it should. */
  leaving(): void {
    process.off('disconnect', this.leave);
    this.tell({ leaving: true });
  }

  close(): void {
    if (process.connected) process.disconnect();
  }

  private tell(message: CellMessage): void {
    // Whoever started this process may end at any moment.
    if (process.connected) process.send?.(message, undefined, undefined, ignore);
  }
}

const ignore = (): void => undefined;
