import { ApiProperty } from '@nestjs/swagger';

/** A kind of work that can be asked for. */
export class TaskTypeDto {
  name: string;
  version: number;
  title: string;
  queue: string;
  max_attempts: number;
  timeout_ms: number;
  /** Names of the fields that `params` may have. */
  @ApiProperty({ type: [String] })
  params: string[];
}

export class TaskTypeListDto {
  items: TaskTypeDto[];
}
