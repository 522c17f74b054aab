import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Task, TaskEvent } from '../task.js';
import { TaskReader } from '../task-reader.js';
import type { TaskStatus } from '../task-state.js';
import type { LineageSource } from './lineage-source.js';
import { LineageSources } from './lineage-sources.js';
import {
  ANCESTORS,
  CHILDREN_BY_TYPE,
  countMadeByTasks,
  KNOWN_TASKS,
  madeByTasks,
  madeOfSubject,
  TASK_FAMILY,
} from './lineage.sql.js';

/** Something that a task made, and what from. */
export interface Artefact {
  /** `thumbnail` */
  readonly kind: string;
  /** What it was made of: an image, say. */
  readonly subject: { readonly kind: string; readonly id: string };
  /** Which of several of its kind; '' when there is one. */
  readonly part: string;
  /** What the input held, as SHA-256 in hexadecimal. */
  readonly inputChecksum: string | null;
  readonly madeAt: Date;
  readonly taskId: string;
  readonly taskType: string;
  readonly taskVersion: number;
  readonly link: string | undefined;
}

export interface RelatedTask {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly status: TaskStatus;
}

export interface TaskLineage {
  readonly task: Task;
  /** The tasks that it is a part of, the nearest first. */
  readonly ancestors: readonly RelatedTask[];
  readonly children: readonly (Omit<RelatedTask, 'id'> & { readonly count: number })[];
  /** When it was begun, tried again and run again, oldest first. */
  readonly history: readonly TaskEvent[];
  /** How many artefacts of each kind it made, its batches included. */
  readonly made: readonly { readonly kind: string; readonly count: number }[];
  readonly artefacts: readonly Artefact[];
  /** Where the next page of artefacts goes on; undefined on the last. */
  readonly next: ArtefactPosition | undefined;
}

/** Kind, subject and part of the last artefact of a page. */
export type ArtefactPosition = readonly [kind: string, subjectId: string, part: string];

interface ArtefactRow {
  subject_id: string;
  part: string;
  task_id: string;
  task_type: string;
  task_version: number;
  input_checksum: string | null;
  made_at: Date;
}

/** A rebuild of five million photos has as many batches. What more tasks made is not shown. */
const MOST_TASKS = 50_000;
const EVENTS = 200;
const FIRST: ArtefactPosition = ['', '00000000-0000-0000-0000-000000000000', ''];

/** Which task made what from what, asked from either end. */
@Injectable()
export class LineageService {
  constructor(
    private readonly database: Database,
    private readonly reader: TaskReader,
    private readonly sources: LineageSources,
  ) {}

  /** @throws not-found `task_not_found`. */
  async ofTask(
    idOrPrefix: string,
    page: { readonly limit: number; readonly after?: ArtefactPosition },
  ): Promise<TaskLineage> {
    const task = await this.reader.get(idOrPrefix);
    const family = await this.database.query<{ id: string }>(TASK_FAMILY, [task.id, MOST_TASKS]);
    const ids = family.map(({ id }) => id);
    const artefacts = await this.pageOf(ids, page.limit, page.after ?? FIRST);
    const last = artefacts.length === page.limit ? artefacts.at(-1) : undefined;
    return {
      task,
      ancestors: await this.database.query<RelatedTask>(ANCESTORS, [task.id]),
      children: await this.database.query(CHILDREN_BY_TYPE, [task.id]),
      history: await this.reader.events(task.id, { limit: EVENTS }),
      made: await this.counts(ids),
      artefacts,
      next: last && [last.kind, last.subject.id, last.part],
    };
  }

  /** All artefacts of a subject (`image`, its id), by kind and part, and whether the task that made each is still kept. */
  async ofSubject(subject: string, id: string): Promise<(Artefact & { readonly taskKept: boolean })[]> {
    const artefacts: Artefact[] = [];
    for (const source of this.sources.all().filter((one) => one.subject === subject)) {
      const rows = await this.database.query<ArtefactRow>(madeOfSubject(source.rows), [id]);
      artefacts.push(...rows.map((row) => artefactOf(source, row)));
    }
    const ids = [...new Set(artefacts.map(({ taskId }) => taskId))];
    const known = await this.database.query<{ id: string }>(KNOWN_TASKS, [ids]);
    const kept = new Set(known.map((row) => row.id));
    return artefacts.map((artefact) => ({ ...artefact, taskKept: kept.has(artefact.taskId) }));
  }

  /** Kind by kind, from where the page before ended. */
  private async pageOf(ids: readonly string[], limit: number, after: ArtefactPosition): Promise<Artefact[]> {
    const page: Artefact[] = [];
    const [fromKind] = after;
    for (const source of this.sources.all()) {
      if (source.kind < fromKind || page.length === limit) continue;
      const [, subjectId, part] = source.kind === fromKind ? after : FIRST;
      const values = [ids, subjectId, part, limit - page.length];
      const rows = await this.database.query<ArtefactRow>(madeByTasks(source.rows), values);
      page.push(...rows.map((row) => artefactOf(source, row)));
    }
    return page;
  }

  private async counts(ids: readonly string[]): Promise<{ kind: string; count: number }[]> {
    const counts: { kind: string; count: number }[] = [];
    for (const { kind, rows } of this.sources.all()) {
      const [row] = await this.database.query<{ count: number }>(countMadeByTasks(rows), [ids]);
      if (row !== undefined && row.count > 0) counts.push({ kind, count: row.count });
    }
    return counts;
  }
}

const artefactOf = (source: LineageSource, row: ArtefactRow): Artefact => ({
  kind: source.kind,
  subject: { kind: source.subject, id: row.subject_id },
  part: row.part,
  inputChecksum: row.input_checksum,
  madeAt: row.made_at,
  taskId: row.task_id,
  taskType: row.task_type,
  taskVersion: row.task_version,
  link: source.link?.(row.subject_id, row.part),
});
