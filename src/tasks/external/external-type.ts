import { invalid } from '../../platform/errors/app-error.js';
import type { ExternalTaskType } from '../define-task.js';
import type { Limits } from '../limits/limits.js';
import { exponential } from '../retry-policy.js';
import type { JsonSchema } from './schema-rules.js';
import type { SchemaValidator } from './schema-validator.js';

/** What is declared of a type: its schemas, and how it is worked on. */
export interface TypeDeclaration {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly queue: string;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly timeoutMs: number;
  readonly inputSchema: JsonSchema;
  readonly resultSchema: JsonSchema | null;
  /** The field of the input whose value is what `concurrencyPerKey` counts a task under. */
  readonly concurrencyKey: string | null;
}

/** A declaration with the limits that hold for all versions of the type. */
export interface LimitedDeclaration extends TypeDeclaration {
  readonly limits: Limits;
}

export interface TypeRow {
  name: string;
  version: number;
  title: string;
  queue: string;
  priority: number;
  max_attempts: number;
  first_delay_ms: number;
  max_delay_ms: number;
  timeout_ms: number;
  input_schema: JsonSchema;
  result_schema: JsonSchema | null;
  concurrency_key: string | null;
}

/** The compiled schemas of one version of a type. */
export interface TypeValidators {
  readonly input: SchemaValidator;
  readonly result: SchemaValidator | undefined;
}

export const declarationOf = (row: TypeRow): TypeDeclaration => ({
  name: row.name,
  version: row.version,
  title: row.title,
  queue: row.queue,
  priority: row.priority,
  maxAttempts: row.max_attempts,
  firstDelayMs: row.first_delay_ms,
  maxDelayMs: row.max_delay_ms,
  timeoutMs: row.timeout_ms,
  inputSchema: row.input_schema,
  resultSchema: row.result_schema,
  concurrencyKey: row.concurrency_key,
});

/** One version of a type that external workers do, as the engine takes it. */
export class DeclaredType implements ExternalTaskType {
  readonly name = this.declaration.name;
  readonly version = this.declaration.version;
  readonly title = this.declaration.title;
  readonly queue = this.declaration.queue;
  readonly priority = this.declaration.priority;
  readonly timeoutMs = this.declaration.timeoutMs;
  readonly retry = {
    attempts: this.declaration.maxAttempts,
    backoff: exponential({ firstMs: this.declaration.firstDelayMs, maxMs: this.declaration.maxDelayMs }),
  };

  constructor(
    private readonly declaration: TypeDeclaration,
    private readonly validators: () => TypeValidators,
  ) {}

  concurrencyKey(input: object): string | undefined {
    const { concurrencyKey: field } = this.declaration;
    const value: unknown = field === null ? undefined : (input as Record<string, unknown>)[field];
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  parseInput(params: object): object {
    const fields = this.validators().input.problemsOf(params, 'params');
    if (fields.length > 0) throw invalid('invalid_task_input', `the input of ${this.name} is not valid`, { fields });
    return params;
  }

  /** @throws invalid `invalid_result`. */
  assertResult(result: unknown): void {
    const fields = this.validators().result?.problemsOf(result, 'result') ?? [];
    if (fields.length > 0) throw invalid('invalid_result', `this is no result of ${this.name}`, { fields });
  }
}
