import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import { AppError } from '../../platform/errors/app-error.js';
import { concurrencyKeyOf } from '../limits/concurrency-key.js';
import type { Json } from '../task-handler.js';
import { parseTaskInput, upgradeParams } from '../task-input.js';
import { ExternalTypes } from '../external/external-types.service.js';
import { TaskRegistry } from '../task-registry.js';
import { NODE_RULES, RESULTS } from './advance.sql.js';
import { type Condition, holds } from './condition.js';
import { resolve, UnresolvedReference } from './references.js';

/** What becomes of a node once its parents' results are read. */
export type Choice =
  | { readonly kind: 'run'; readonly params?: object; readonly key?: string }
  | { readonly kind: 'skip'; readonly message: string }
  | { readonly kind: 'fail'; readonly code: string; readonly message: string };

interface NodeRules {
  readonly id: string;
  /** With references in it; null when the params are fixed. */
  readonly params: object | null;
  readonly skipIf: Condition | null;
  /** Name → task of the parents that it asks. */
  readonly reads: Readonly<Record<string, string>>;
  readonly type: string;
  readonly version: number;
}

interface Checked {
  readonly params: object;
  readonly key?: string;
}

/** Inputs are ids and small facts; thousands of nodes may take from one result, and each gets a copy. */
const MAX_PARAMS_LENGTH = 100_000;
const TOO_LARGE: Choice = {
  kind: 'fail',
  code: 'params_too_large',
  message: `what it takes from results makes its params longer than ${String(MAX_PARAMS_LENGTH)} characters; pass a pointer`,
};

/** Reads the results that nodes depend on, and makes their inputs of them. */
@Injectable()
export class InputResolver {
  constructor(
    private readonly registry: TaskRegistry,
    private readonly external: ExternalTypes,
  ) {}

  /** A choice for each node; results are read once, however many nodes ask for them. */
  async choose(sql: Sql, nodeIds: readonly string[]): Promise<Map<string, Choice>> {
    if (nodeIds.length === 0) return new Map();
    const rules = await sql.query<NodeRules>(NODE_RULES, [nodeIds]);
    const parents = new Set(rules.flatMap(({ reads }) => Object.values(reads)));
    const rows = await sql.query<{ id: string; result: Json }>(RESULTS, [[...parents]]);
    const resultOf = new Map(rows.map(({ id, result }) => [id, result]));
    const choices = new Map<string, Choice>();
    for (const node of rules) choices.set(node.id, await this.choice(sql, node, resultOf));
    return choices;
  }

  private async choice(sql: Sql, node: NodeRules, resultOf: ReadonlyMap<string, Json>): Promise<Choice> {
    const results = new Map<string, Json>();
    for (const [name, id] of Object.entries(node.reads)) {
      const result = resultOf.get(id);
      if (result !== undefined) results.set(name, result);
    }
    if (node.skipIf !== null && holds(node.skipIf, results)) {
      return { kind: 'skip', message: `its condition holds of the result of node "${node.skipIf.node}"` };
    }
    if (node.params === null) return { kind: 'run' };
    try {
      const { params, key } = await this.checked(sql, node, resolve(node.params, results) as object);
      if (JSON.stringify(params).length > MAX_PARAMS_LENGTH) return TOO_LARGE;
      return { kind: 'run', params, key };
    } catch (error) {
      return refusalOf(error);
    }
  }

  /**
   * The input as its type takes it. A process that does not know the type, or only an older version of it, leaves the check
   * to the worker that runs it, which checks inputs of workflows in any case.
   */
  private async checked(sql: Sql, { type, version }: NodeRules, params: object): Promise<Checked> {
    const definition = this.registry.find(type)?.definition;
    if (definition === undefined) {
      const declared = await this.external.version(type, version, sql);
      return declared ? { params: declared.parseInput(params), key: concurrencyKeyOf(declared, params) } : { params };
    }
    if (definition.version < version) return { params };
    const input = parseTaskInput(definition, upgradeParams(definition, version, params));
    return { params: definition.version === version ? input : params, key: concurrencyKeyOf(definition, input) };
  }
}

function refusalOf(error: unknown): Choice {
  if (error instanceof UnresolvedReference)
    return { kind: 'fail', code: 'unresolved_reference', message: error.message };
  if (error instanceof AppError) {
    const fields = error.fields.map(({ path, message }) => `${path}: ${message}`).join('; ');
    return { kind: 'fail', code: error.code, message: fields === '' ? error.message : `${error.message}: ${fields}` };
  }
  throw error;
}
