import { Injectable, Logger } from '@nestjs/common';
import { availableParallelism } from 'node:os';
import { EnginePool } from '../queue/engine-pool.js';
import { LimitsView } from '../limits/limits-view.js';
import { TaskRegistry } from '../task-registry.js';
import { Alibi, type Held } from './alibi.js';
import type { Cell, CellEnd, OpenCell } from './cell.js';
import { FORGET_LOSSES, SURVEY, WITNESS_DEATH } from './isolation.sql.js';
import { IsolationMetrics } from './isolation-metrics.js';

/** One look-up in a small index; suspects wait this long at most for somebody to see them. */
const LOOK_MS = 1_000;
/** Suspects counted, for how many cells are wanted and for the metric; more makes no difference. */
const COUNTED = 10_000;
/** Cells of one process: each is a Node process with the memory of one, and has a processor to itself. */
const MOST_CELLS = Math.min(4, availableParallelism());
/** Fewer start processes for tasks that one cell would be through with sooner; more draws out a storm of suspects. */
const SUSPECTS_A_CELL = 4;
/** A cell that is registered no more for this long hangs: it would have registered again. */
const HANGS_MS = 5_000;
/** After a cell that did not even come to register; doubles each time. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** How long cells get to hand back what they have. */
const STOP_MS = 10_000;
const FORGET_EVERY_MS = 3_600_000;

interface Survey {
  suspects: number;
  cells: number;
  struckOff: string[];
}

export interface IsolationOptions {
  readonly queues: readonly string[];
  readonly openCell: OpenCell;
}

/**
 * Sees to it that suspects are run: starts cells when there are any, watches over those that it has started, and testifies
 * when one of them dies. That this process is alive and its cell is not is what proves a task guilty: whatever takes a
 * whole machine down, a deployment, a power cut, the network, does not leave one of the two standing.
 */
@Injectable()
export class Isolation {
  private readonly logger = new Logger(Isolation.name);
  private readonly cells = new Map<Cell, { missingSinceMs: number | undefined }>();
  private options: IsolationOptions | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private notBeforeMs = 0;
  private forgotMs = 0;

  constructor(
    private readonly pool: EnginePool,
    private readonly registry: TaskRegistry,
    private readonly metrics: IsolationMetrics,
    private readonly alibi: Alibi,
    private readonly limits: LimitsView,
  ) {}

  start(options: IsolationOptions): void {
    this.options = options;
    const tick = async (): Promise<void> => {
      await this.look();
      if (!this.options) return;
      this.timer = setTimeout(() => {
        this.looking = tick();
      }, LOOK_MS);
    };
    this.looking = tick();
  }

  async stop(): Promise<void> {
    this.options = undefined;
    clearTimeout(this.timer);
    await this.looking;
    const cells = [...this.cells.keys()];
    for (const cell of cells) cell.stop();
    const lastly = setTimeout(() => {
      for (const cell of cells) cell.kill();
    }, STOP_MS);
    await Promise.all(cells.map((cell) => cell.ended));
    clearTimeout(lastly);
  }

  /** This process lost a lease without having been the reason: what it held is innocent. */
  clear(held: Held): Promise<void> {
    return this.alibi.give(held);
  }

  private async look(): Promise<void> {
    try {
      const survey = await this.survey();
      if (!survey) return;
      this.metrics.suspects.set(survey.suspects);
      this.endHanging(new Set(survey.struckOff));
      if (this.wanted(survey)) this.open();
      if (performance.now() - this.forgotMs > FORGET_EVERY_MS) {
        this.forgotMs = performance.now();
        await this.pool.query(FORGET_LOSSES);
      }
    } catch (error) {
      if (this.options) this.logger.warn({ message: 'cannot look for suspects, trying again', err: error });
    }
  }

  private async survey(): Promise<Survey | undefined> {
    const { options } = this;
    if (!options) return undefined;
    const limits = await this.limits.fresh();
    // For what is paused no process is started.
    const queues = options.queues.filter((queue) => !limits.queues.get(queue)?.pause);
    const known = queues.flatMap((queue) => this.registry.typesOfQueue(queue));
    const types = known.filter(({ name }) => !limits.types.get(name)?.pause);
    const registered = [...this.cells.keys()].flatMap(({ workerId }) => workerId ?? []);
    const [survey] = await this.pool.prepared.query<Survey>(SURVEY, [
      queues,
      types.map(({ name }) => name),
      types.map(({ version }) => version),
      COUNTED,
      registered,
    ]);
    return survey;
  }

  /** One at a time, so that the next look counts it. Several processes may each start one for the same suspect. */
  private wanted({ suspects, cells }: Survey): boolean {
    const coming = [...this.cells.keys()].some(({ workerId }) => workerId === undefined);
    if (coming || this.cells.size >= MOST_CELLS || performance.now() < this.notBeforeMs) return false;
    return cells < Math.ceil(suspects / SUSPECTS_A_CELL);
  }

  private open(): void {
    if (!this.options) return;
    this.logger.warn({ message: 'there are tasks that may have killed a worker: running them alone' });
    const cell = this.options.openCell();
    this.cells.set(cell, { missingSinceMs: undefined });
    void cell.ended.then((end) => this.closed(cell, end));
  }

  private async closed(cell: Cell, end: CellEnd): Promise<void> {
    this.cells.delete(cell);
    const { workerId } = cell;
    if (end.kind === 'left') {
      this.pauseMs = FIRST_PAUSE_MS;
      return;
    }
    this.logger.warn({ message: 'a process that ran a task alone died', workerId, how: end.how });
    if (workerId === undefined) {
      this.notBeforeMs = performance.now() + this.pauseMs;
      this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
      return;
    }
    await this.pool.query(WITNESS_DEATH, [workerId, end.how]).catch((error: unknown) => {
      this.logger.warn({ message: 'could not report it; the lease will tell', workerId, err: error });
    });
  }

  /** A cell whose lease ran out and that did not register again is stuck in its task: others have taken that over. */
  private endHanging(struckOff: ReadonlySet<string>): void {
    const now = performance.now();
    for (const [cell, seen] of this.cells) {
      if (cell.workerId === undefined || !struckOff.has(cell.workerId)) seen.missingSinceMs = undefined;
      else if (now - (seen.missingSinceMs ??= now) > HANGS_MS) cell.kill();
    }
  }
}
