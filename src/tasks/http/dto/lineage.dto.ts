import { ApiProperty } from '@nestjs/swagger';
import type { Artefact, TaskLineage } from '../../lineage/lineage.service.js';
import { TASK_STATUSES, type TaskStatus } from '../../task-state.js';
import { toAttemptDtos } from '../task-json.js';
import { TaskAttemptDto } from './task.dto.js';

/** Something that a task made. */
export class ArtefactDto {
  /** `thumbnail`, `metadata`, … */
  kind: string;
  /** What it was made of: `image`. */
  subject_kind: string;
  subject_id: string;
  /** Which of several of its kind: the size of a thumbnail. Empty when there is one. */
  part: string;
  /** SHA-256 of what it was made from, hexadecimal; null when that is no content. */
  input_checksum: string | null;
  made_at: Date;
  task_id: string;
  task_type: string;
  task_version: number;
  /** Where it is; null when it has no address of its own. */
  url: string | null;
}

export class SubjectArtefactDto extends ArtefactDto {
  /** false: the task that made it was removed by retention. */
  task_kept: boolean;
}

/** What is known of where a thing's parts come from. */
export class SubjectLineageDto {
  items: SubjectArtefactDto[];
}

export class RelatedTaskDto {
  id: string;
  type: string;
  version: number;
  @ApiProperty({ enum: TASK_STATUSES })
  status: TaskStatus;
}

export class ChildTypeDto {
  type: string;
  version: number;
  @ApiProperty({ enum: TASK_STATUSES })
  status: TaskStatus;
  count: number;
}

export class MadeCountDto {
  kind: string;
  count: number;
}

/** Where a task belongs, how often it was tried, and what it made from what. */
export class TaskLineageDto {
  task: RelatedTaskDto;
  /** The input. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  params: unknown;
  /** Who or what asked for it; `task:<id>`: the task that it follows. */
  requested_by: string;
  workflow_id: string | null;
  /** The tasks that it is a part of, the nearest first. */
  ancestors: RelatedTaskDto[];
  /** What it was split into, by type and status; `/tasks/{id}/children` lists them. */
  children: ChildTypeDto[];
  /** Its tries, oldest first. */
  attempts: TaskAttemptDto[];
  /** How many artefacts of each kind it made and its batches made. */
  made: MadeCountDto[];
  /** A page of these artefacts, by kind. */
  items: ArtefactDto[];
  next_cursor: string | null;
}

const toArtefactDto = (artefact: Artefact): ArtefactDto => ({
  kind: artefact.kind,
  subject_kind: artefact.subject.kind,
  subject_id: artefact.subject.id,
  part: artefact.part,
  input_checksum: artefact.inputChecksum,
  made_at: artefact.madeAt,
  task_id: artefact.taskId,
  task_type: artefact.taskType,
  task_version: artefact.taskVersion,
  url: artefact.link ?? null,
});

export const toSubjectLineageDto = (
  artefacts: readonly (Artefact & { readonly taskKept: boolean })[],
): SubjectLineageDto => ({
  items: artefacts.map((artefact) => Object.assign(toArtefactDto(artefact), { task_kept: artefact.taskKept })),
});

export const toTaskLineageDto = (lineage: TaskLineage, nextCursor: string | null): TaskLineageDto => ({
  task: {
    id: lineage.task.id,
    type: lineage.task.type,
    version: lineage.task.version,
    status: lineage.task.status,
  },
  params: lineage.task.params,
  requested_by: lineage.task.requestedBy,
  workflow_id: lineage.task.workflowId,
  ancestors: [...lineage.ancestors],
  children: [...lineage.children],
  attempts: toAttemptDtos(lineage.history),
  made: [...lineage.made],
  items: lineage.artefacts.map(toArtefactDto),
  next_cursor: nextCursor,
});
