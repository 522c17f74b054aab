import { Injectable, Logger } from '@nestjs/common';
import { sqlState } from '../../platform/database/sql-state.js';
import { unstorableTexts } from '../../platform/database/unstorable-text.js';
import { conflict, invalid, unavailable } from '../../platform/errors/app-error.js';
import type { Sql } from '../../platform/database/transaction.js';
import { EnginePool } from '../queue/engine-pool.js';
import { LimitDeclarations } from '../limits/limit-declarations.js';
import { TaskRegistry } from '../task-registry.js';
import {
  ALL_TYPES,
  DECLARE_TYPE,
  NEWEST_TYPE,
  QUEUES_OF_TYPES,
  TYPE_NAMES,
  TYPE_VERSION,
} from './external-types.sql.js';
import {
  declarationOf,
  DeclaredType,
  type LimitedDeclaration,
  type TypeDeclaration,
  type TypeRow,
  type TypeValidators,
} from './external-type.js';
import { type JsonSchema, schemaProblems } from './schema-rules.js';
import { SchemaValidator } from './schema-validator.js';

/** A type as lists show it: its newest version, and which versions there are. */
export interface ListedType extends TypeDeclaration {
  readonly versions: readonly number[];
}

export interface QueuedType {
  readonly name: string;
  readonly queue: string;
}

/** Compiled schemas that are kept. A schema takes some ten kilobytes when compiled, and a millisecond or more to compile. */
const MOST_COMPILED = 200;
/** What jsonb and text cannot hold: NUL, half a surrogate pair, numbers out of range. */
const NOT_STORABLE = /^22...$/;

/**
 * The types that external workers do. They live in the database alone and are read there at every use, so that one
 * declared by any process holds in all of them at once; only compiled schemas are kept.
 */
@Injectable()
export class ExternalTypes {
  private readonly logger = new Logger(ExternalTypes.name);
  private readonly compiled = new Map<string, TypeValidators>();

  constructor(
    private readonly pool: EnginePool,
    private readonly registry: TaskRegistry,
    private readonly limits: LimitDeclarations,
  ) {}

  /**
   * Idempotent. Title, priority, retries, timeout, limits and key of a declared version may be changed, for tasks that are added later.
   * @throws invalid `invalid_schema`; conflict `builtin_task_type`, `builtin_queue`, `task_type_declared_otherwise`.
   */
  async declare(type: LimitedDeclaration, actor: string): Promise<{ created: boolean }> {
    this.assertNotBuiltin(type);
    compileChecked(type.inputSchema, 'input_schema');
    if (type.resultSchema) compileChecked(type.resultSchema, 'result_schema');
    const { created } = await this.store(type, actor);
    await this.limits.declare(type.name, type.limits, actor);
    const what = { taskName: type.name, taskVersion: type.version, actor };
    this.logger.log({
      message: created ? 'external task type declared' : 'external task type declared again',
      ...what,
    });
    return { created };
  }

  /** The newest version of a type, by its name in any letter case. */
  newest(name: string): Promise<DeclaredType | undefined> {
    return this.read(NEWEST_TYPE, [name.toLowerCase()]);
  }

  /** Reads in the caller's transaction when given its `sql`. */
  version(name: string, version: number, sql?: Sql): Promise<DeclaredType | undefined> {
    return this.read(TYPE_VERSION, [name, version], sql);
  }

  async list(): Promise<ListedType[]> {
    const rows = await this.pool.query<TypeRow & { versions: number[] }>(ALL_TYPES);
    return rows.map((row) => ({ ...declarationOf(row), versions: row.versions.sort((a, b) => a - b) }));
  }

  async names(): Promise<string[]> {
    return (await this.pool.query<{ name: string }>(TYPE_NAMES)).map(({ name }) => name);
  }

  /** In which queues the tasks of these types wait, all versions of them. @throws invalid `unknown_task_type` for those that are not declared. */
  async queuesOf(names: readonly string[]): Promise<QueuedType[]> {
    const rows = await this.pool.prepared.query<QueuedType>(QUEUES_OF_TYPES, [names]);
    const unknown = names.filter((name) => !rows.some((row) => row.name === name));
    if (unknown.length === 0) return rows;
    const allowed = (await this.names()).join(', ') || 'none is declared yet';
    throw invalid('unknown_task_type', `no external task type is called ${unknown.join(', ')}`, {
      fields: unknown.map((value) => ({ path: 'types', message: 'is not an external task type', value, allowed })),
    });
  }

  private assertNotBuiltin({ name, queue }: TypeDeclaration): void {
    if (this.registry.find(name)) {
      throw conflict('builtin_task_type', `"${name}" is a task type of PhotoSafe itself; choose another name`);
    }
    if (this.registry.typesOfQueue(queue).length > 0) {
      // Tasks that a worker cannot take lie in the way of those that it can: its claims would go through them all.
      throw conflict('builtin_queue', `the queue "${queue}" holds tasks that PhotoSafe does itself; choose another`);
    }
  }

  private async store(type: TypeDeclaration, actor: string): Promise<{ created: boolean }> {
    const { name, version } = type;
    const rows = await this.pool
      .query<{ created: boolean }>(DECLARE_TYPE, [
        ...[name, version, type.title, type.queue, type.priority],
        ...[type.maxAttempts, type.firstDelayMs, type.maxDelayMs, type.timeoutMs],
        ...[JSON.stringify(type.inputSchema), type.resultSchema && JSON.stringify(type.resultSchema)],
        ...[type.concurrencyKey, actor],
      ])
      .catch((error: unknown) => {
        if (!NOT_STORABLE.test(sqlState(error) ?? '')) throw error;
        throw invalid('invalid_schema', 'the declaration holds characters or numbers that cannot be stored', {
          fields: [
            ...unstorableTexts(type.inputSchema, 'input_schema'),
            ...unstorableTexts(type.resultSchema, 'result_schema'),
          ],
          cause: error,
        });
      });
    if (rows[0]) return rows[0];
    const message = `version ${String(version)} of ${name} is declared with another schema or queue; declare version ${String(version + 1)}`;
    throw conflict('task_type_declared_otherwise', message);
  }

  private async read(
    statement: string,
    values: readonly unknown[],
    sql: Sql = this.pool.prepared,
  ): Promise<DeclaredType | undefined> {
    const [row] = await sql.query<TypeRow>(statement, values);
    return row && new DeclaredType(declarationOf(row), () => this.validatorsOf(row));
  }

  private validatorsOf(row: TypeRow): TypeValidators {
    const key = JSON.stringify([row.input_schema, row.result_schema]);
    const known = this.compiled.get(key);
    if (known) return known;
    if (this.compiled.size >= MOST_COMPILED) this.compiled.clear();
    const made = compiledAgain(row);
    this.compiled.set(key, made);
    return made;
  }
}

/** It compiled in time when it was declared, so it will once the machine has breath again. */
function compiledAgain({ name, input_schema, result_schema }: TypeRow): TypeValidators {
  try {
    return {
      input: new SchemaValidator(input_schema),
      result: result_schema ? new SchemaValidator(result_schema) : undefined,
    };
  } catch (cause) {
    throw unavailable('schema_not_compiled', `the schema of ${name} could not be compiled in time`, { cause });
  }
}

/** @throws invalid `invalid_schema`. */
function compileChecked(schema: JsonSchema, field: 'input_schema' | 'result_schema'): void {
  const fields = schemaProblems(schema, field);
  if (field === 'input_schema' && schema.type !== 'object') {
    fields.push({
      path: 'input_schema.type',
      message: 'is not that of an input',
      value: schema.type,
      allowed: '"object"',
    });
  }
  if (fields.length > 0) throw invalid('invalid_schema', `${field} is not acceptable`, { fields });
  try {
    new SchemaValidator(schema);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw invalid('invalid_schema', `${field} is not a schema that can be used: ${message}`, {
      cause: error,
      fields: [{ path: field, message: message.slice(0, 500) }],
    });
  }
}
