import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsNotEmpty, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { snakeCase } from '../../../platform/database/snake-case-naming.js';
import { PageQueryDto } from '../../../platform/http/dto/page.dto.js';
import type { LimitScope } from '../../limits/limits.js';
import type { Pause } from '../../limits/limits-view.js';
import type { LimitEvent } from '../../limits/limits.service.js';
import type { QueueState } from '../../limits/queue-overview.js';
import type { TypeLimitsState } from '../../limits/type-limits.js';
import { LimitsDto, QueueLimitsDto, toLimitsDto } from './limits.dto.js';

const NAME = /^[a-z][a-z0-9_.-]*$/i;

export class NameParamDto {
  @IsString()
  @Matches(NAME)
  @MaxLength(200)
  name: string;
}

/** Why something is changed: kept with who did it. */
export class ReasonDto {
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(1_000)
  reason?: string;
}

export class SetQueueLimitsDto extends QueueLimitsDto {
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(1_000)
  reason?: string;
}

export class SetLimitsDto extends LimitsDto {
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(1_000)
  reason?: string;
}

export class PauseDto {
  at: Date;
  by: string;
  @ApiProperty({ type: String, nullable: true })
  reason: string | null;
}

/** A queue; numbers are counted up to 10,000. */
export class QueueDto {
  name: string;
  /** Tasks whose time has come. */
  ready: number;
  /** How long the longest of these has waited. */
  @ApiProperty({ type: 'number', nullable: true })
  oldest_ready_seconds: number | null;
  /** Tasks whose time has not come. */
  delayed: number;
  /** Tasks that workers hold. */
  running: number;
  /** Workers that serve it. */
  workers: number;
  /** How many of its tasks these run at once. */
  slots: number;
  @ApiProperty({ type: PauseDto, nullable: true })
  paused: PauseDto | null;
  limits: QueueLimitsDto;
}

export class QueueListDto {
  items: QueueDto[];
}

export class CircuitDto {
  @ApiProperty({ enum: ['closed', 'open', 'probing'] })
  state: 'closed' | 'open' | 'probing';
  /** Transient failures in a row. */
  failures: number;
  @ApiProperty({ type: Date, nullable: true })
  opened_at: Date | null;
  /** When a task is tried. */
  @ApiProperty({ type: Date, nullable: true })
  probe_at: Date | null;
  @ApiProperty({ type: String, nullable: true })
  last_error: string | null;
}

export class TypeLimitsDto {
  name: string;
  queue: string;
  /** What holds: what is set, and what is declared where nothing is set. */
  limits: LimitsDto;
  /** By the code, or by who declared the type. */
  declared: LimitsDto;
  /** By an operator. */
  overridden: LimitsDto;
  @ApiProperty({ type: PauseDto, nullable: true })
  paused: PauseDto | null;
  /** Tasks of it that workers hold. */
  running: number;
  @ApiProperty({ type: CircuitDto, nullable: true })
  circuit: CircuitDto | null;
}

export class TypeLimitsListDto {
  items: TypeLimitsDto[];
}

export class LimitEventQueryDto extends PageQueryDto {
  @IsOptional()
  @IsIn(['queue', 'type'])
  scope?: LimitScope;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  name?: string;
}

export class LimitEventDto {
  id: string;
  at: Date;
  @ApiProperty({ enum: ['queue', 'type'] })
  scope: LimitScope;
  name: string;
  /** paused, resumed, limits_set, limits_reset, limits_declared, circuit_opened, circuit_closed. */
  action: string;
  actor: string;
  @ApiProperty({ type: String, nullable: true })
  reason: string | null;
  @ApiProperty({ type: 'object', additionalProperties: true })
  details: Readonly<Record<string, unknown>>;
}

export class LimitEventPageDto {
  items: LimitEventDto[];
  next_cursor: string | null;
}

const toPauseDto = (pause: Pause | undefined): PauseDto | null => pause ?? null;

export const toQueueDto = ({ oldestSeconds, limited, ...state }: QueueState): QueueDto => ({
  name: state.name,
  ready: state.ready,
  oldest_ready_seconds: oldestSeconds,
  delayed: state.delayed,
  running: state.running,
  workers: state.workers,
  slots: state.slots,
  paused: toPauseDto(limited?.pause),
  limits: toLimitsDto(limited?.limits ?? {}),
});

export const toTypeLimitsDto = ({ circuit, ...state }: TypeLimitsState): TypeLimitsDto => ({
  name: state.name,
  queue: state.queue,
  limits: toLimitsDto(state.limits),
  declared: toLimitsDto(state.declared),
  overridden: toLimitsDto(state.overridden),
  paused: toPauseDto(state.pause),
  running: state.running,
  circuit:
    circuit && state.limits.breaker
      ? {
          state: circuit.circuit,
          failures: circuit.failures,
          opened_at: circuit.openedAt,
          probe_at: circuit.probeAt,
          last_error: circuit.lastError,
        }
      : null,
});

/** Details are kept as the code names them. */
const withSnakeCaseKeys = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withSnakeCaseKeys)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [snakeCase(key), withSnakeCaseKeys(each)]))
      : value;

export const toLimitEventDto = ({
  id,
  at,
  scope,
  name,
  action,
  actor,
  reason,
  details,
}: LimitEvent): LimitEventDto => ({
  ...{ id, at, scope, name, action, actor, reason },
  details: withSnakeCaseKeys(details) as LimitEventDto['details'],
});
