import type { Cell, CellEnd } from '../../src/tasks/isolation/cell.js';
import { Worker, type WorkerOptions } from '../../src/tasks/worker/worker.js';
import type { WorkerParts } from '../../src/tasks/worker/worker-parts.js';

/** A cell with the handlers of this test: a worker of its own, though not a process of its own. */
export class CellInProcess implements Cell {
  readonly ended: Promise<CellEnd>;
  private readonly worker: Worker;
  private readonly started: Promise<void>;
  private stopping: Promise<void> | undefined;
  private end: (end: CellEnd) => void = () => undefined;

  constructor(parts: WorkerParts, options: WorkerOptions) {
    this.ended = new Promise((resolve) => (this.end = resolve));
    const leave = (): void => this.stop();
    this.worker = new Worker(parts, { ...options, leaveCell: leave }, leave);
    this.started = this.worker.start().catch(() => this.stop());
  }

  get workerId(): string {
    return this.worker.id;
  }

  stop(): void {
    this.stopping ??= Promise.resolve(this.started)
      .then(() => this.worker.stop())
      .finally(() => this.end({ kind: 'left' }));
  }

  kill(): void {
    this.stop();
  }
}
