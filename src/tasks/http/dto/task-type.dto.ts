import { ApiProperty } from '@nestjs/swagger';

/** A kind of work that can be asked for. */
export class TaskTypeDto {
  name: string;
  /** That of tasks that are created now. */
  version: number;
  /** Those that were declared; tasks of each may exist. */
  versions: number[];
  title: string;
  queue: string;
  max_attempts: number;
  timeout_ms: number;
  /** Names of the fields that `params` may have. */
  @ApiProperty({ type: [String] })
  params: string[];
  /** Done by external workers, who claim its tasks over HTTP. */
  external: boolean;
  /** JSON Schema of `params`. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  input_schema: Readonly<Record<string, unknown>>;
  /** JSON Schema of the result; null where anything goes. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  result_schema: Readonly<Record<string, unknown>> | null;
}

export class TaskTypeListDto {
  items: TaskTypeDto[];
}
