import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Transaction } from '../../platform/database/transaction.js';
import { DomainEvents, type TaskContext } from '../../tasks/index.js';
import { photoImported } from '../photo-imported.js';
import { IdentitiesRepository, type IdentityStep } from './identities.repository.js';

/** The task's row is held for a step's transaction, and its worker's progress waits for it: about a second. */
const CONTENTS_A_STEP = 1_000;

type Step = (tx: Transaction, step: IdentityStep) => Promise<number>;

/**
 * Tells, once all due files of a catalogue have been read, which image is where.
 *
 * - Content of an image that has departed (its file gone, or its path found with other content) that has arrived
 *   elsewhere is that image, moved. Paths may be exchanged in any pattern.
 * - Other new content at the path of an image is an edit of that image, unless the image has moved elsewhere.
 * - What is left is new; a copy of an image that is still in its place, too.
 *
 * Each step commits by itself and leaves the rows so that the next one, or a repetition by another attempt, goes on.
 */
@Injectable()
export class IdentityService {
  constructor(
    private readonly database: Database,
    private readonly identities: IdentitiesRepository,
    private readonly events: DomainEvents,
  ) {}

  async settle(catalogId: string, jobId: string, context: Pick<TaskContext, 'signal' | 'transaction'>): Promise<void> {
    if (!(await this.identities.hasUnsettled(this.database, catalogId))) return;
    const steps: Step[] = [
      (tx, step) => this.identities.moveDeparted(tx, step),
      (tx, step) => this.identities.markDisplaced(tx, step),
      (tx, step) => this.identities.applyEdits(tx, step),
      (tx, step) => this.admitNewcomers(tx, step),
    ];
    for (const step of steps) {
      let done: number;
      do {
        context.signal.throwIfAborted();
        done = await context.transaction((tx) => step(tx, { catalogId, jobId, limit: CONTENTS_A_STEP }));
      } while (done > 0);
    }
  }

  private async admitNewcomers(tx: Transaction, step: IdentityStep): Promise<number> {
    const imageIds = await this.identities.admitNewcomers(tx, step);
    if (imageIds.length > 0) {
      await this.events.emit(
        photoImported,
        { catalogId: step.catalogId, imageIds },
        { tx, actor: `task:${step.jobId}` },
      );
    }
    return imageIds.length;
  }
}
