import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '../../platform/database/transaction.js';
import type { PhotoProblem } from '../photo-facts.js';
import { type ImageProblems, type Lineage, ProblemsRepository } from '../problems.repository.js';
import { databaseJson, factsRow, type Reading } from './content-columns.js';
import { type DueImage, outcomeOf, verdictOn } from './decide-reading.js';
import {
  BATCH_COUNTS,
  CONTENTS_WITH_DEPARTED,
  DROP_ARRIVALS,
  FILES_TO_READ,
  LOCK_DUE,
  SHOW_UNREADABLE,
  WRITE_ARRIVALS,
  WRITE_OWN,
} from './readings.sql.js';

/** A file that is to be read. */
export interface FileToRead {
  readonly imageId: string;
  readonly rootPath: string;
  /** Relative to the root; empty or ending in a slash. */
  readonly folder: string;
  readonly name: string;
  /** Names in the same folder. */
  readonly sidecars: readonly string[];
}

/** How the reading of one file ended: in what it holds, or in why it could not be read. */
export interface ReadFile {
  readonly imageId: string;
  readonly outcome: Reading | { readonly unreadable: PhotoProblem };
}

/** What a task has come to, in images. */
export interface ReadingCounts {
  /** Whose file it read. */
  readonly read: number;
  /** Of those, without an error. */
  readonly analyzed: number;
  /** With an error recorded against them, from reading or for want of it. */
  readonly failed: number;
}

/** Who reads: `jobId` is the analysis that the changes are put down to. */
export interface ReadingLineage extends Lineage {
  readonly jobId: string;
}

/** An image that has just been found to be one of its own. */
export interface NewImage {
  readonly id: string;
  readonly catalogId: string;
}

interface LockedRow extends DueImage {
  catalog_id: string;
}

interface Judged {
  readonly image: LockedRow;
  readonly reading: Reading;
}

@Injectable()
export class ReadingsRepository {
  constructor(private readonly problems: ProblemsRepository) {}

  /** Those of the images whose files are still to be read. */
  async filesToRead(sql: Sql, imageIds: readonly string[]): Promise<FileToRead[]> {
    const rows = await sql.query<{ id: string; root_path: string; folder: string; name: string; sidecars: string[] }>(
      FILES_TO_READ,
      [imageIds],
    );
    return rows.map(({ id, root_path: rootPath, ...file }) => ({ imageId: id, rootPath, ...file }));
  }

  /**
   * Writes what was read. Images that are not due any more, because somebody else has read them, stay as they are. Gives
   * those that are certainly new, now that they have been read for the first time.
   */
  async save(tx: Sql, files: readonly ReadFile[], lineage: ReadingLineage): Promise<NewImage[]> {
    const images = await tx.query<LockedRow>(LOCK_DUE, [files.map(({ imageId }) => imageId)]);
    const outcomes = new Map(files.map(({ imageId, outcome }) => [imageId, outcome]));
    const judged: Judged[] = [];
    const unreadable: ImageProblems[] = [];
    for (const image of images) {
      const outcome = outcomes.get(image.id);
      if (outcome === undefined) continue;
      if ('unreadable' in outcome)
        unreadable.push({ imageId: image.id, checksum: undefined, problems: [outcome.unreadable] });
      else judged.push({ image, reading: outcome });
    }
    const own = judged.filter(({ image, reading }) => verdictOn(image, reading.checksum) !== 'other');
    const others = judged.filter(({ image, reading }) => verdictOn(image, reading.checksum) === 'other');
    const newImages = await this.writeOwn(tx, own, lineage);
    await this.writeArrivals(tx, others, lineage);
    await this.writeUnreadable(tx, unreadable, lineage);
    return newImages;
  }

  async batchCounts(sql: Sql, imageIds: readonly string[], taskId: string): Promise<ReadingCounts> {
    const [counts] = await sql.query<ReadingCounts>(BATCH_COUNTS, [imageIds, taskId]);
    return counts ?? { read: 0, analyzed: 0, failed: 0 };
  }

  private async writeOwn(tx: Sql, judged: readonly Judged[], lineage: ReadingLineage): Promise<NewImage[]> {
    if (judged.length === 0) return [];
    const departed = await this.contentsWithDeparted(tx, judged);
    const rows = judged.map(({ image, reading }) => {
      const verdict = verdictOn(image, reading.checksum) === 'first' ? 'first' : 'same';
      const outcome = outcomeOf(image, verdict, departed.has(reading.checksum.toString('hex')));
      return { image_id: image.id, ...outcome, ...contentRow(reading) };
    });
    await tx.query(WRITE_OWN, [databaseJson(rows), ...lineageValues(lineage), lineage.jobId]);
    await tx.query(DROP_ARRIVALS, [judged.map(({ image }) => image.id)]);
    await this.problems.replace(
      tx,
      judged.map(({ image, reading }) => problemsOf(image.id, reading)),
      { phase: 'analyze', lineage },
    );
    return judged.flatMap(({ image }, i) =>
      image.checksum === null && rows[i]?.state === 'active' ? [{ id: image.id, catalogId: image.catalog_id }] : [],
    );
  }

  private async writeArrivals(tx: Sql, judged: readonly Judged[], lineage: ReadingLineage): Promise<void> {
    if (judged.length === 0) return;
    const rows = judged.map(({ image, reading }) => ({ id: uuidv7(), image_id: image.id, ...contentRow(reading) }));
    const written = await tx.query<{ id: string; replaces: string }>(WRITE_ARRIVALS, [
      databaseJson(rows),
      ...lineageValues(lineage),
    ]);
    const arrivals = new Map(written.map(({ id, replaces }) => [replaces, id]));
    const problems = judged.map(({ image, reading }) => problemsOf(arrivals.get(image.id) ?? image.id, reading));
    await this.problems.replace(tx, problems, { phase: 'analyze', lineage });
  }

  private async writeUnreadable(tx: Sql, images: readonly ImageProblems[], lineage: ReadingLineage): Promise<void> {
    if (images.length === 0) return;
    const ids = images.map(({ imageId }) => imageId);
    await tx.query(SHOW_UNREADABLE, [ids, lineage.jobId]);
    await tx.query(DROP_ARRIVALS, [ids]);
    await this.problems.replace(tx, images, { phase: 'analyze', lineage });
  }

  private async contentsWithDeparted(tx: Sql, judged: readonly Judged[]): Promise<ReadonlySet<string>> {
    const catalogId = judged[0]?.image.catalog_id;
    const rows = await tx.query<{ checksum: string }>(CONTENTS_WITH_DEPARTED, [
      catalogId,
      judged.map(({ reading }) => reading.checksum),
    ]);
    return new Set(rows.map(({ checksum }) => checksum));
  }
}

const lineageValues = ({ taskId, taskType, taskVersion }: Lineage): [string, string, number] => [
  taskId,
  taskType,
  taskVersion,
];

const contentRow = ({ checksum, sizeBytes, modifiedAt, facts }: Reading): Record<string, unknown> => ({
  content_checksum: checksum.toString('hex'),
  content_size: sizeBytes,
  content_modified: modifiedAt.toISOString(),
  ...factsRow(facts),
});

const problemsOf = (imageId: string, { checksum, problems }: Reading): ImageProblems => ({
  imageId,
  checksum,
  problems,
});
