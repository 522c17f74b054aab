import { Injectable } from '@nestjs/common';
import type { Sql } from '../platform/database/transaction.js';
import { databaseJson } from './analysis/content-columns.js';
import type { PhotoProblem } from './photo-facts.js';
import { DROP_OLD_PROBLEMS, WRITE_PROBLEMS } from './problems.sql.js';

/** The steps of work that can find something wrong with a file. */
export type ProblemPhase = 'analyze' | 'thumbnails';

/** Which task made an artefact. */
export interface Lineage {
  readonly taskId: string;
  readonly taskType: string;
  readonly taskVersion: number;
}

/** What one phase found wrong with one image. */
export interface ImageProblems {
  readonly imageId: string;
  /** The content that it is about; undefined when it could not be read. */
  readonly checksum: Buffer | undefined;
  readonly problems: readonly PhotoProblem[];
}

/** A message that quotes a file's content must not fill the database. */
const LONGEST_MESSAGE = 500;

@Injectable()
export class ProblemsRepository {
  /** Makes these the problems of these images in the phase. */
  async replace(
    tx: Sql,
    images: readonly ImageProblems[],
    { phase, lineage }: { readonly phase: ProblemPhase; readonly lineage: Lineage },
  ): Promise<void> {
    if (images.length === 0) return;
    const rows = images.flatMap(({ imageId, checksum, problems }) =>
      problems.map(({ code, severity, message }) => ({
        image_id: imageId,
        code,
        severity,
        message: message.slice(0, LONGEST_MESSAGE),
        checksum: checksum?.toString('hex'),
      })),
    );
    const json = databaseJson(rows);
    await tx.query(DROP_OLD_PROBLEMS, [images.map(({ imageId }) => imageId), phase, json]);
    if (rows.length === 0) return;
    await tx.query(WRITE_PROBLEMS, [json, phase, lineage.taskId, lineage.taskType, lineage.taskVersion]);
  }
}
