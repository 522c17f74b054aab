import type { Provider } from '@nestjs/common';
import type { AnyTaskDefinition, InputOf } from '../define-task.js';
import { CronExpression } from './cron-expression.js';
import type { CatchUp, Overlap } from './schedule.js';

export interface ScheduleDeclaration<Definition extends AnyTaskDefinition> {
  /** For people, and for ever: whoever renames or deletes the schedule does not get it back under the old name. */
  readonly name: string;
  readonly description: string;
  readonly task: Definition;
  readonly input: InputOf<Definition>;
  /** On the clocks of the machine that is started first. */
  readonly cron: string;
  /** Default `latest`: once, when PhotoSafe was down. */
  readonly catchUp?: CatchUp;
  readonly overlap?: Overlap;
  /** That of the task type when left out. */
  readonly priority?: number;
  /** A task that has not started so long after it was added fails with `deadline_passed`. */
  readonly startWithinMs?: number;
}

/** A schedule that comes with a module. Made by {@link defineSchedule}. */
export class ShippedSchedule {
  readonly name: string;
  readonly catchUp: CatchUp;
  readonly overlap: Overlap;

  constructor(readonly declaration: ScheduleDeclaration<AnyTaskDefinition>) {
    CronExpression.parse(declaration.cron);
    this.name = declaration.name;
    this.catchUp = declaration.catchUp ?? { policy: 'latest', max: 1 };
    this.overlap = declaration.overlap ?? 'skip';
  }
}

/** Put into the database at the first start that knows it; from then on it belongs to whoever edits, pauses or deletes it. */
export const defineSchedule = <Definition extends AnyTaskDefinition>(
  declaration: ScheduleDeclaration<Definition>,
): ShippedSchedule => new ShippedSchedule(declaration);

/** The one line in a module: `providers: [...shippedSchedules(nightlyRebuild)]`. */
export const shippedSchedules = (...schedules: readonly ShippedSchedule[]): Provider[] =>
  schedules.map((schedule) => ({ provide: `schedule:${schedule.name}`, useValue: schedule }));
