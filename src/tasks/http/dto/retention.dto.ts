import { ApiProperty } from '@nestjs/swagger';
import {
  IsOptional,
  IsString,
  MaxLength,
  Validate,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import type { Keep, KeepByOutcome, TypePolicy } from '../../retention/retention-policy.js';
import type { StoredPolicy } from '../../retention/retention-policies.js';
import type { Archive } from '../../retention/task-archive.js';

const MAX_DAYS = 36_500;

@ValidatorConstraint({ name: 'keep' })
class IsKeep implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return value === 'forever' || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_DAYS);
  }

  defaultMessage(): string {
    return `must be a whole number of days from 1 to ${String(MAX_DAYS)}, or "forever"`;
  }
}

const KeepProperty = (): PropertyDecorator =>
  ApiProperty({
    oneOf: [
      { type: 'integer', minimum: 1, maximum: MAX_DAYS },
      { type: 'string', enum: ['forever'] },
    ],
    description: 'Days since the task ended, or "forever".',
  });

/** How long finished tasks of a type are kept; an outcome that is left out follows the default. */
export class SetRetentionDto {
  @IsOptional()
  @Validate(IsKeep)
  @KeepProperty()
  completed?: Keep;

  @IsOptional()
  @Validate(IsKeep)
  @KeepProperty()
  failed?: Keep;

  @IsOptional()
  @Validate(IsKeep)
  @KeepProperty()
  cancelled?: Keep;
}

/** How long finished tasks of a type are kept, where that differs from the default. */
export class RetentionPolicyDto {
  type: string;
  @KeepProperty()
  completed?: Keep;
  @KeepProperty()
  failed?: Keep;
  @KeepProperty()
  cancelled?: Keep;
  updated_at: Date;
  updated_by: string;
}

export class KeepByOutcomeDto {
  @KeepProperty()
  completed: Keep;
  @KeepProperty()
  failed: Keep;
  @KeepProperty()
  cancelled: Keep;
}

export class RetentionDto {
  /** From the settings. */
  defaults: KeepByOutcomeDto;
  /** How long a repeated request with the same Idempotency-Key gives the task of the first. No task goes before. */
  idempotency_key_hours: number;
  /** Types that differ. */
  items: RetentionPolicyDto[];
}

export class TaskTypeParamDto {
  /** In any letter case. */
  @IsString()
  @MaxLength(200)
  type: string;
}

/** A file with tasks that were removed: gzipped JSON Lines, a task a line with its audit trail. */
export class TaskArchiveDto {
  /** Path below `archives/tasks` of the data folder. */
  name: string;
  /** The task that removed them. */
  removed_by: string;
  tasks: number;
  size_bytes: number;
  /** SHA-256 of the file, hexadecimal. */
  checksum: string;
  created_at: Date;
}

export class TaskArchivePageDto {
  items: TaskArchiveDto[];
  next_cursor: string | null;
}

/** Null is left out: it follows the default. */
export const typePolicyIn = ({ completed, failed, cancelled }: SetRetentionDto): TypePolicy => ({
  completed: completed ?? undefined,
  failed: failed ?? undefined,
  cancelled: cancelled ?? undefined,
});

export const toRetentionPolicyDto = ({ type, keep, updatedAt, updatedBy }: StoredPolicy): RetentionPolicyDto => ({
  type,
  ...keep,
  updated_at: updatedAt,
  updated_by: updatedBy,
});

export const toKeepByOutcomeDto = ({ completed, failed, cancelled }: KeepByOutcome): KeepByOutcomeDto => ({
  completed,
  failed,
  cancelled,
});

export const toTaskArchiveDto = (archive: Archive): TaskArchiveDto => ({
  ...archive,
  size_bytes: Number(archive.size_bytes),
});
