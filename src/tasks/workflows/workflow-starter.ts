import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import type { Sql, Transaction } from '../../platform/database/transaction.js';
import { type FieldError, invalid, AppError } from '../../platform/errors/app-error.js';
import { Tracing, within } from '../../platform/tracing/tracing.js';
import type { AnyTaskType } from '../define-task.js';
import { TOO_COSTLY } from '../external/schema-validator.js';
import { type Made, makeOnce } from '../idempotency.js';
import { concurrencyKeyOf } from '../limits/concurrency-key.js';
import { EnginePool } from '../queue/engine-pool.js';
import { newTaskIds } from '../queue/task-ids.js';
import { Wakeup } from '../queue/wakeup.js';
import { inputFields, parseTaskInput } from '../task-input.js';
import { TaskTypes } from '../task-types.js';
import { referencesIn } from './references.js';
import { ADD_EDGES, ADD_NODES, ADD_TASKS, ADD_WORKFLOW } from './start.sql.js';
import { type NodeSpec, type PlannedNode, planWorkflow, type WorkflowSpec } from './workflow-plan.js';

/** How a workflow is to be started. `actor` says who asks: `token:…`, `cli:…`, `schedule:…`, `task:…`. */
export interface StartOptions {
  readonly actor: string;
  /** Adds it in this transaction: it exists if, and only if, that commits. */
  readonly tx?: Transaction;
  /** The same key from the same actor gives the same workflow, whatever became of it since. */
  readonly idempotencyKey?: string;
  /** Refuses, by throwing, a workflow that is not there yet. A repeated request is not asked: its workflow was fine when it was made. */
  readonly refuse?: () => void;
}

/** Rows a statement: their params travel with it. */
const ROWS_A_STATEMENT = 2_000;
const MAX_PROBLEMS = 50;
/** Then other requests have their turn: checking a node against a declared schema may take half a second. */
const LONGEST_AT_A_TIME_MS = 50;

/** A node with what its task's row takes. */
interface NewNode extends PlannedNode {
  readonly id: string;
  readonly definition: AnyTaskType;
  readonly params: object;
  /** Its params hold references, so they are made when it becomes ready. */
  readonly open: boolean;
}

/** Checks a workflow and adds its tasks, in a few statements for any number of them. */
@Injectable()
export class WorkflowStarter {
  constructor(
    private readonly pool: EnginePool,
    private readonly wakeup: Wakeup,
    private readonly types: TaskTypes,
    private readonly tracing: Tracing,
    private readonly settings: Settings,
  ) {}

  /** @throws invalid `invalid_workflow`, `workflow_cycle` before anything is written. */
  async start(spec: WorkflowSpec, options: StartOptions): Promise<Made> {
    const nodes = await this.nodesOf(planWorkflow(spec));
    const queues = new Set(
      nodes.flatMap(({ parents, definition }) => (parents.length === 0 ? [definition.queue] : [])),
    );
    const announce = (): void => {
      for (const queue of queues) this.wakeup.queued(queue);
    };
    options.tx?.afterCommit(announce);
    const once = (sql: Sql): Promise<Made> => this.addOnce(sql, { spec, nodes }, options);
    const made = await (options.tx ? once(options.tx) : this.pool.transaction(once));
    if (!options.tx) announce();
    return made;
  }

  private async addOnce(
    sql: Sql,
    { spec, nodes }: { spec: WorkflowSpec; nodes: readonly NewNode[] },
    { actor, idempotencyKey: key, refuse }: StartOptions,
  ): Promise<Made> {
    const make = async (): Promise<Made> => {
      refuse?.();
      const [id = ''] = newTaskIds(1);
      const { prioritySeconds } = this.settings;
      await this.addTraced(sql, nodes, { id, actor, name: spec.name ?? 'Workflow', prioritySeconds });
      return { id, created: true };
    };
    if (key === undefined) return make();
    return makeOnce(sql, { actor, key, request: askedFor(spec) }, make);
  }

  private addTraced(sql: Sql, nodes: readonly NewNode[], workflow: NewWorkflow): Promise<void> {
    const { spans } = this.tracing;
    if (spans === undefined) return add(sql, nodes, workflow);
    const attributes = { workflowId: workflow.id, tasks: nodes.length };
    const span = spans.open({ name: 'enqueue workflow', kind: 'producer', attributes });
    return within(span, () => add(sql, nodes, { ...workflow, traceParent: span.traceParent }));
  }

  private async nodesOf(plan: readonly PlannedNode[]): Promise<NewNode[]> {
    const ids = newTaskIds(plan.length);
    const problems: FieldError[] = [];
    const nodes: NewNode[] = [];
    const known = new Map<string, Promise<AnyTaskType>>();
    let since = performance.now();
    for (const [index, node] of plan.entries()) {
      if (performance.now() - since > LONGEST_AT_A_TIME_MS) {
        await setImmediate();
        since = performance.now();
      }
      try {
        nodes.push({ ...node, ...inputOf(node.spec, await this.typeOf(node.spec, known)), id: ids[index] ?? '' });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problems.push(...error.fields.map((field) => ({ ...field, path: `nodes.${String(index)}.${field.path}` })));
        if (problems.length >= MAX_PROBLEMS || error.fields.some(({ message }) => message === TOO_COSTLY)) break;
      }
    }
    if (problems.length > 0) {
      const [first] = problems;
      throw invalid(
        'invalid_workflow',
        `the workflow is not acceptable: ${first?.path ?? ''} ${first?.message ?? ''}`,
        {
          fields: problems.slice(0, MAX_PROBLEMS),
        },
      );
    }
    return nodes;
  }

  /** Each type is looked up once. */
  private typeOf({ type }: NodeSpec, known: Map<string, Promise<AnyTaskType>>): Promise<AnyTaskType> | AnyTaskType {
    if (typeof type !== 'string') return type;
    const found = known.get(type) ?? this.types.get(type);
    known.set(type, found);
    return found;
  }
}

/** Fields that hold references are checked when these are resolved; the others now, if the type can check fields alone. */
function inputOf(spec: NodeSpec, definition: AnyTaskType): { definition: AnyTaskType; params: object; open: boolean } {
  const { params = {} } = spec;
  const open = referencesIn(params).map(({ at }) => at.split('.')[1] ?? '');
  if (open.length === 0) return { definition, params: parseTaskInput(definition, params), open: false };
  if ('parseInput' in definition) return { definition, params, open: true };
  const known = inputFields(definition);
  const later = new Set(open.filter((field) => known.includes(field)));
  try {
    parseTaskInput(definition, params);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const fields = error.fields.filter(({ path }) => !later.has(path.split('.')[1] ?? ''));
    if (fields.length > 0) throw invalid('invalid_task_input', error.message, { fields });
  }
  return { definition, params, open: true };
}

/**
 * Another request of the same key asks for the same, or is refused. Times may have been worked out anew: they are not
 * compared. What is kept is a hash of its JSON, also from processes of other versions: fields stay in their order.
 */
const askedFor = (spec: WorkflowSpec): unknown => ({
  ...spec,
  nodes: spec.nodes.map((node) => ({ ...node, type: typeName(node), runAt: undefined, startBy: undefined })),
});

const typeName = ({ type }: NodeSpec): string => (typeof type === 'string' ? type : type.name);

interface NewWorkflow {
  readonly id: string;
  readonly name: string;
  readonly actor: string;
  readonly traceParent?: string;
  readonly prioritySeconds: number;
}

async function add(sql: Sql, nodes: readonly NewNode[], workflow: NewWorkflow): Promise<void> {
  const weight = nodes.reduce((sum, { spec }) => sum + (spec.weight ?? 1), 0);
  await sql.query(ADD_WORKFLOW, [workflow.id, workflow.name, workflow.actor, nodes.length, weight]);
  for (let start = 0; start < nodes.length; start += ROWS_A_STATEMENT) {
    const some = nodes.slice(start, start + ROWS_A_STATEMENT);
    await sql.query(ADD_TASKS, taskValues(some, workflow));
    await sql.query(ADD_NODES, nodeValues(some, { workflow, nodes }));
  }
  const edges = nodes.flatMap(({ id, parents }) => parents.map((parent) => ({ id, ...parent })));
  await sql.query(ADD_EDGES, [
    edges.map(({ index }) => nodes[index]?.id),
    edges.map(({ id }) => id),
    edges.map(({ onFailure }) => onFailure),
  ]);
}

const taskValues = (nodes: readonly NewNode[], { id, actor, prioritySeconds, traceParent }: NewWorkflow): unknown[] => [
  nodes.map((node) => node.id),
  nodes.map(({ params }) => JSON.stringify(params)),
  nodes.map(({ definition }) => definition.name),
  nodes.map(({ definition }) => definition.version),
  nodes.map(({ definition }) => definition.title),
  nodes.map(({ definition }) => definition.queue),
  nodes.map(({ spec, definition }) => spec.priority ?? definition.priority),
  nodes.map(({ definition }) => definition.retry.attempts),
  nodes.map(({ definition }) => definition.timeoutMs),
  nodes.map(({ spec }) => spec.description ?? null),
  nodes.map(({ parents }) => parents.length === 0),
  id,
  actor,
  nodes.map(({ open, definition, params }) => (open ? null : (concurrencyKeyOf(definition, params) ?? null))),
  prioritySeconds,
  traceParent ?? null,
  nodes.map(({ spec }) => spec.runAt ?? null),
  nodes.map(({ spec }) => spec.startBy ?? null),
];

function nodeValues(
  some: readonly NewNode[],
  { workflow, nodes }: { workflow: NewWorkflow; nodes: readonly NewNode[] },
): unknown[] {
  const readsOf = (reads: readonly number[]) =>
    Object.fromEntries(reads.map((index) => [nodes[index]?.spec.name ?? '', nodes[index]?.id]));
  return [
    some.map(({ id }) => id),
    some.map(({ spec }) => spec.name),
    some.map(({ level }) => level),
    some.map(({ spec }) => spec.weight ?? 1),
    some.map(({ parents }) => parents.length),
    some.map(({ open, params }) => (open ? JSON.stringify(params) : null)),
    some.map(({ spec }) => (spec.skipIf === undefined ? null : JSON.stringify(spec.skipIf))),
    workflow.id,
    some.map(({ reads }) => (reads.length === 0 ? null : JSON.stringify(readsOf(reads)))),
  ];
}
