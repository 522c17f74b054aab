import { Injectable } from '@nestjs/common';
import { boundedParallel } from '../bounded-parallel.js';
import { Database } from '../../platform/database/database.js';
import { sqlState } from '../../platform/database/sql-state.js';
import { DomainEvents, type TaskContext } from '../../tasks/index.js';
import type { PhotoFacts } from '../photo-facts.js';
import { photoImported } from '../photo-imported.js';
import type { Reading } from './content-columns.js';
import { readFile } from './read-file.js';
import {
  type FileToRead,
  type ReadFile,
  type ReadingCounts,
  type ReadingLineage,
  ReadingsRepository,
} from './readings.repository.js';

/** Reading waits for the disk and hashes on libuv's threads: more only makes neighbours on a spinning disk fight. */
const FILES_AT_ONCE = 4;
/** Written together: one transaction's cost for so many files, and at most so many are read again after a crash. */
const FILES_A_WRITE = 25;

export interface BatchResult extends ReadingCounts {
  /** Images of this batch. */
  readonly images: number;
}

/** Reads the files of due images and writes down what they hold. */
@Injectable()
export class AnalysisService {
  constructor(
    private readonly database: Database,
    private readonly readings: ReadingsRepository,
    private readonly events: DomainEvents,
  ) {}

  /** Idempotent: what was read already, by this task or another, is not read again. */
  async readBatch(imageIds: readonly string[], context: TaskContext, lineage: ReadingLineage): Promise<BatchResult> {
    const files = await this.readings.filesToRead(this.database, imageIds);
    let done = imageIds.length - files.length;
    for (let start = 0; start < files.length; start += FILES_A_WRITE) {
      context.progress(done, imageIds.length);
      const group = files.slice(start, start + FILES_A_WRITE);
      await this.save(await readGroup(group, context.signal), context, lineage);
      done += group.length;
    }
    const counts = await this.readings.batchCounts(this.database, imageIds, lineage.taskId);
    return { images: imageIds.length, ...counts };
  }

  /** A value that the database refuses costs its own file its facts, not the group its readings. */
  private async save(files: readonly ReadFile[], context: TaskContext, lineage: ReadingLineage): Promise<void> {
    if (files.length === 0) return;
    const write = (some: readonly ReadFile[]): Promise<void> =>
      context.transaction(async (tx) => {
        const newImages = await this.readings.save(tx, some, lineage);
        const [first] = newImages;
        if (!first) return;
        const payload = { catalogId: first.catalogId, imageIds: newImages.map(({ id }) => id) };
        await this.events.emit(photoImported, payload, { tx, actor: `task:${lineage.jobId}` });
      });
    try {
      await write(files);
    } catch (error) {
      if (!isDataException(error)) throw error;
      for (const file of files) {
        await write([file]).catch(async (refused: unknown) => {
          if (!isDataException(refused)) throw refused;
          await write([withoutDetails(file)]);
        });
      }
    }
  }
}

async function readGroup(files: readonly FileToRead[], signal: AbortSignal): Promise<ReadFile[]> {
  const outcomes = await boundedParallel(files, FILES_AT_ONCE, async (file): Promise<ReadFile[]> => {
    signal.throwIfAborted();
    const outcome = await readFile(file, signal);
    return outcome === 'gone' ? [] : [{ imageId: file.imageId, outcome }];
  });
  return outcomes.flat();
}

/** SQLSTATE class 22: a value out of range or malformed for its type; 23514: one that a CHECK refuses. */
function isDataException(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (state.startsWith('22') || state === '23514' || state === '54000');
}

function withoutDetails({ imageId, outcome }: ReadFile): ReadFile {
  return 'unreadable' in outcome ? { imageId, outcome } : { imageId, outcome: bareReading(outcome) };
}

const bareReading = (reading: Reading): Reading => ({
  ...reading,
  facts: reading.facts && bareFacts(reading.facts),
  problems: [
    ...reading.problems,
    {
      severity: 'warning',
      code: 'bad_metadata',
      message: 'The metadata holds values that cannot be stored; all of it is left out.',
    },
  ],
});

/** What the thumbnails need, as long as it makes sense. */
const bareFacts = ({ format, mimeType, orientation }: PhotoFacts): PhotoFacts => ({
  format,
  mimeType,
  width: undefined,
  height: undefined,
  orientation,
  captured: undefined,
  dateCandidates: [],
  cameraMake: undefined,
  cameraModel: undefined,
  cameraSerial: undefined,
  lens: undefined,
  exposure: {
    timeSeconds: undefined,
    fNumber: undefined,
    iso: undefined,
    focalLengthMm: undefined,
    focalLength35Mm: undefined,
    flashFired: undefined,
  },
  position: undefined,
  burstId: undefined,
  description: undefined,
  keywords: [],
  rating: undefined,
  tags: {},
});
