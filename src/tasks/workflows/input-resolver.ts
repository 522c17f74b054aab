import { Injectable, Logger } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import { AppError } from '../../platform/errors/app-error.js';
import type { DeclaredType } from '../external/external-type.js';
import { ExternalTypes } from '../external/external-types.service.js';
import { concurrencyKeyOf } from '../limits/concurrency-key.js';
import { classify } from '../retry-policy.js';
import type { Json } from '../task-handler.js';
import { parseTaskInput, upgradeParams } from '../task-input.js';
import { TaskRegistry } from '../task-registry.js';
import { NODE_RULES, RESULTS } from './advance.sql.js';
import { type Condition, holds } from './condition.js';
import { NOTHING, type Reference, resolve, resultAt, takesMoreThan, UnresolvedReference } from './references.js';

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

/** What the nodes of one look have in common. */
interface Known {
  readonly resultOf: ReadonlyMap<string, Json>;
  /** Of what references stand for, as JSON: thousands of nodes may take the same. */
  readonly lengths: Map<string, number>;
  readonly declared: DeclaredTypes;
}

const jsonLength = (found: unknown): number => (found === NOTHING ? 0 : JSON.stringify(found).length);

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
  private readonly logger = new Logger(InputResolver.name);

  constructor(
    private readonly registry: TaskRegistry,
    private readonly external: ExternalTypes,
  ) {}

  /** A choice for each node; results and declared types are read once, however many nodes ask for them. */
  async choose(sql: Sql, nodeIds: readonly string[]): Promise<Map<string, Choice>> {
    if (nodeIds.length === 0) return new Map();
    const rules = await sql.query<NodeRules>(NODE_RULES, [nodeIds]);
    const parents = new Set(rules.flatMap(({ reads }) => Object.values(reads)));
    const rows = await sql.query<{ id: string; result: Json }>(RESULTS, [[...parents]]);
    const resultOf = new Map(rows.map(({ id, result }) => [id, result]));
    const declared = await this.declaredTypes(sql, rules);
    const lengths = new Map<string, number>();
    return new Map(rules.map((node) => [node.id, this.choice(node, { resultOf, lengths, declared })]));
  }

  /** Those types of nodes with references that external workers do. */
  private async declaredTypes(sql: Sql, rules: readonly NodeRules[]): Promise<DeclaredTypes> {
    const declared = new Map<string, DeclaredType | undefined>();
    for (const { type, version, params } of rules) {
      if (params === null || declared.has(keyOf(type, version)) || this.registry.find(type)) continue;
      declared.set(keyOf(type, version), await this.external.version(type, version, sql));
    }
    return declared;
  }

  private choice(node: NodeRules, { resultOf, lengths, declared }: Known): Choice {
    const results = new Map<string, Json>();
    for (const [name, id] of Object.entries(node.reads)) {
      const result = resultOf.get(id);
      if (result !== undefined) results.set(name, result);
    }
    try {
      if (node.skipIf !== null && holds(node.skipIf, results)) {
        return { kind: 'skip', message: `its condition holds of the result of node "${node.skipIf.node}"` };
      }
      if (node.params === null) return { kind: 'run' };
      const lengthOf = ({ $from, path }: Reference): number => {
        const key = `${node.reads[$from] ?? ''} ${path ?? ''}`;
        const length = lengths.get(key) ?? jsonLength(resultAt(results, $from, path));
        lengths.set(key, length);
        return length;
      };
      if (takesMoreThan(MAX_PARAMS_LENGTH, node.params, lengthOf)) return TOO_LARGE;
      const { params, key } = this.checked(node, resolve(node.params, results) as object, declared);
      if (JSON.stringify(params).length > MAX_PARAMS_LENGTH) return TOO_LARGE;
      return { kind: 'run', params, key };
    } catch (error) {
      return this.refusalOf(node, error);
    }
  }

  /**
   * The input as its type takes it. A process that does not know the type, or only an older version of it, leaves the check
   * to the worker that runs it, which checks inputs of workflows in any case.
   */
  private checked({ type, version }: NodeRules, params: object, declared: DeclaredTypes): Checked {
    const definition = this.registry.find(type)?.definition;
    if (definition === undefined) {
      const known = declared.get(keyOf(type, version));
      return known ? { params: known.parseInput(params), key: concurrencyKeyOf(known, params) } : { params };
    }
    if (definition.version < version) return { params };
    const input = parseTaskInput(definition, upgradeParams(definition, version, params));
    return { params: definition.version === version ? input : params, key: concurrencyKeyOf(definition, input) };
  }

  /**
   * Whatever is thrown fails the node and nothing else: the code of its type may have a bug, and the transaction is that in
   * which its parent ends.
   */
  private refusalOf({ id, type }: NodeRules, error: unknown): Choice {
    if (error instanceof UnresolvedReference) {
      return { kind: 'fail', code: 'unresolved_reference', message: error.message };
    }
    if (error instanceof AppError) {
      const fields = error.fields.map(({ path, message }) => `${path}: ${message}`).join('; ');
      return { kind: 'fail', code: error.code, message: fields === '' ? error.message : `${error.message}: ${fields}` };
    }
    this.logger.error({ message: 'the input of a node could not be made', jobId: id, taskName: type, err: error });
    const { code, message } = classify(error);
    return { kind: 'fail', code, message };
  }
}

type DeclaredTypes = ReadonlyMap<string, DeclaredType | undefined>;

const keyOf = (type: string, version: number): string => `${type}@${String(version)}`;
