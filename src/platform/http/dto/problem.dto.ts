import { ApiPropertyOptional } from '@nestjs/swagger';
import { ANY_JSON } from '../any-json.js';

/** One refused field. */
export class ProblemFieldDto {
  /** Dotted path of the field: `roots.0`. */
  field: string;
  /** What is wrong with it. */
  message: string;
  /** What was sent, shortened. */
  @ApiPropertyOptional(ANY_JSON)
  value?: unknown;
  /** What would do. */
  allowed?: string;
}

/** RFC 9457 problem details: the body of every answer with a status of 400 or more. */
export class ProblemDto {
  /**
   * Identifies the kind of problem; ends in `code`.
   * @example "urn:photosafe:problem:validation_failed"
   */
  type: string;
  title: string;
  status: number;
  /** For people; never branch on it. */
  detail: string;
  /**
   * Stable code of the problem: branch on this.
   * @example "validation_failed"
   */
  code: string;
  /** The path that was asked for. */
  instance: string;
  /** Also in the header X-Request-Id and on every log line of the request. */
  request_id: string;
  /** Every refused field, with status 422. */
  errors?: ProblemFieldDto[];
  /** Facts about what went wrong, where a code has any; docs/errors.md says which. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  details?: Record<string, unknown>;
  /** With status 500: what to look for in the log. */
  error_id?: string;
}
