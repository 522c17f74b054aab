import { type FieldError, invalid } from '../../platform/errors/app-error.js';
import type { AnyTaskDefinition } from '../define-task.js';
import { isTooDeep, TOO_DEEP } from '../external/json-limits.js';
import { startByProblem, type StartTimes } from '../start-times.js';
import { type Condition, CONDITION_SHAPE, conditionProblem } from './condition.js';
import { isReference, referencesIn } from './references.js';
import { FAILURE_POLICIES, type FailurePolicy } from './ripple.js';

/** Beyond these a request is a mistake, or should split its work instead. */
export const MAX_NODES = 10_000;
const MAX_EDGES = 100_000;
/** More would not help whoever reads them. */
const MAX_PROBLEMS = 50;

const NAME = /^[\w.:-]{1,100}$/;
const NAME_RULE = '1 to 100 letters, digits and _ . : -';

export interface Dependency {
  readonly node: string;
  /** What becomes of this node when that one fails, or is cancelled. Default `fail`. */
  readonly onFailure?: FailurePolicy;
}

/** One task of a workflow. Once those that it runs after have ended it starts at its time, or fails if that is too late. */
export interface NodeSpec extends StartTimes {
  /** Unique within the workflow. */
  readonly name: string;
  readonly type: string | AnyTaskDefinition;
  /** `{ $from: 'node', path: '/json/pointer' }` anywhere inside stands for something out of a parent's result. */
  readonly params?: object;
  /** The nodes that must have ended before it starts. */
  readonly after?: readonly (string | Dependency)[];
  /** It is skipped when this holds of a parent's result. */
  readonly skipIf?: Condition;
  /** Its share of the workflow's progress. Default 1. */
  readonly weight?: number;
  readonly priority?: number;
  readonly description?: string;
}

export interface WorkflowSpec {
  readonly name?: string;
  readonly nodes: readonly NodeSpec[];
}

export interface PlannedNode {
  readonly spec: NodeSpec;
  /** Places in the plan, with what each parent's failure means. */
  readonly parents: readonly { readonly index: number; readonly onFailure: FailurePolicy }[];
  /** Places of the parents whose results it takes. */
  readonly reads: readonly number[];
  /** The longest way to it from a node without parents. */
  readonly level: number;
}

/**
 * Checks the shape of a graph and orders it. In linear time.
 * @throws invalid `invalid_workflow`, naming every wrong field; `workflow_cycle`, naming the nodes of one.
 */
export function planWorkflow(spec: WorkflowSpec): PlannedNode[] {
  const problems = new Problems();
  if (spec.nodes.length === 0 || spec.nodes.length > MAX_NODES) {
    problems.add({
      path: 'nodes',
      message: 'has a length that is not acceptable',
      value: spec.nodes.length,
      allowed: `1 to ${String(MAX_NODES)} nodes`,
    });
    problems.throw();
  }
  const places = placesOf(spec.nodes, problems);
  const linked = spec.nodes.map((node, index) => link(node, { index, places, problems }));
  const edges = linked.reduce((sum, { parents }) => sum + parents.length, 0);
  if (edges > MAX_EDGES) {
    problems.add({
      path: 'nodes',
      message: `have too many dependencies, ${String(edges)}: there may be ${String(MAX_EDGES)} in all`,
      value: edges,
      allowed: `up to ${String(MAX_EDGES)} in all`,
    });
  }
  problems.throw();
  const levels = levelsOf(linked);
  return linked.map((node, index) => ({ ...node, level: levels[index] ?? 0 }));
}

/** @throws invalid `invalid_workflow` for nodes that could never start in time. */
export function assertInTime({ nodes }: WorkflowSpec, now: Date): void {
  const problems = new Problems();
  for (const [index, node] of nodes.entries()) {
    const problem = startByProblem(node, now);
    if (problem) problems.add({ path: `nodes.${String(index)}.start_by`, ...problem });
  }
  problems.throw();
}

class Problems {
  private readonly fields: FieldError[] = [];

  add(problem: FieldError): void {
    this.fields.push(problem);
  }

  throw(): void {
    if (this.fields.length === 0) return;
    const fields = this.fields.slice(0, MAX_PROBLEMS);
    const [first] = fields;
    const more = this.fields.length > 1 ? ` and ${String(this.fields.length - 1)} more` : '';
    throw invalid(
      'invalid_workflow',
      `the workflow is not acceptable: ${first?.path ?? ''} ${first?.message ?? ''}${more}`,
      {
        fields,
      },
    );
  }
}

type Places = ReadonlyMap<string, number>;

function placesOf(nodes: readonly NodeSpec[], problems: Problems): Places {
  const places = new Map<string, number>();
  for (const [index, { name }] of nodes.entries()) {
    const path = `nodes.${String(index)}.name`;
    const first = places.get(name);
    if (!NAME.test(name)) problems.add({ path, message: 'is not a name for a node', value: name, allowed: NAME_RULE });
    else if (first === undefined) places.set(name, index);
    else
      problems.add({
        path,
        message: `is the name of node ${String(first)} too`,
        value: name,
        allowed: 'a name that no other node has',
      });
  }
  return places;
}

interface Linking {
  readonly index: number;
  readonly places: Places;
  readonly problems: Problems;
}

function link(spec: NodeSpec, { index, places, problems }: Linking): Omit<PlannedNode, 'level'> {
  const path = `nodes.${String(index)}`;
  const parents = new Map<number, FailurePolicy>();
  for (const [nth, dependency] of (spec.after ?? []).entries()) {
    const { node, onFailure = 'fail' } = typeof dependency === 'string' ? { node: dependency } : dependency;
    const place = places.get(node);
    const problem = dependencyProblem(spec, place, { node, index, known: parents });
    if (problem)
      problems.add({
        path: `${path}.after.${String(nth)}`,
        message: problem.message,
        value: node,
        allowed: problem.allowed,
      });
    else if (!FAILURE_POLICIES.includes(onFailure)) {
      problems.add({
        path: `${path}.after.${String(nth)}.on_failure`,
        message: `is not known: it must be one of ${FAILURE_POLICIES.join(', ')}`,
        value: onFailure,
        allowed: FAILURE_POLICIES.join(', '),
      });
    } else if (place !== undefined) parents.set(place, onFailure);
  }
  if (!isWeight(spec.weight ?? 1)) {
    problems.add({
      path: `${path}.weight`,
      message: 'is not a weight',
      value: spec.weight,
      allowed: 'a whole number, 0 to 1000000',
    });
  }
  const reads = readsOf(spec, { index, places, problems }, parents);
  return { spec, parents: [...parents].map(([place, onFailure]) => ({ index: place, onFailure })), reads };
}

const isWeight = (weight: number): boolean => Number.isInteger(weight) && weight >= 0 && weight <= 1_000_000;

function dependencyProblem(
  spec: NodeSpec,
  place: number | undefined,
  { node, index, known }: { node: string; index: number; known: ReadonlyMap<number, FailurePolicy> },
): { message: string; allowed: string } | undefined {
  if (place === undefined) return { message: `names no node: there is no "${node}"`, allowed: 'the name of a node' };
  if (place === index) return { message: `makes "${spec.name}" wait for itself`, allowed: 'another node' };
  if (known.has(place)) return { message: `names "${node}" a second time`, allowed: 'each node once' };
  return undefined;
}

/** The parents whose results `params` and `skip_if` ask for; they must be among those that the node runs after. */
function readsOf(
  { params, skipIf }: NodeSpec,
  { index, places, problems }: Linking,
  parents: ReadonlyMap<number, FailurePolicy>,
): number[] {
  const reads = new Set<number>();
  const read = (name: string, path: string): void => {
    const place = places.get(name);
    if (place !== undefined && parents.has(place)) reads.add(place);
    else
      problems.add({
        path,
        message: `takes the result of "${name}", which it does not run after`,
        value: name,
        allowed: 'a node named in after',
      });
  };
  const own = `nodes.${String(index)}`;
  const tooDeep = Object.entries({ params, skip_if: skipIf }).find(([, value]) => isTooDeep(value));
  if (tooDeep) {
    problems.add({ path: `${own}.${tooDeep[0]}`, message: TOO_DEEP });
    return [];
  }
  for (const { at, value } of referencesIn(params)) {
    if (isReference(value)) read(value.$from, `${own}.${at}`);
    else
      problems.add({
        path: `${own}.${at}`,
        message: 'is no reference',
        value,
        allowed: '{"$from": node, "path": JSON pointer} and nothing else',
      });
  }
  if (skipIf !== undefined) {
    const problem = conditionProblem(skipIf);
    if (problem === undefined) read(skipIf.node, `${own}.skip_if.node`);
    else problems.add({ path: `${own}.skip_if`, message: problem, value: skipIf, allowed: CONDITION_SHAPE });
  }
  return [...reads];
}

type Linked = readonly Omit<PlannedNode, 'level'>[];

/** Kahn's algorithm. @throws invalid `workflow_cycle` */
function levelsOf(nodes: Linked): number[] {
  const children = nodes.map((): number[] => []);
  const waiting = nodes.map(({ parents }, index) => {
    for (const parent of parents) children[parent.index]?.push(index);
    return parents.length;
  });
  const levels = nodes.map(() => 0);
  const free = [...waiting.keys()].filter((index) => waiting[index] === 0);
  for (const index of free) {
    for (const child of children[index] ?? []) {
      levels[child] = Math.max(levels[child] ?? 0, (levels[index] ?? 0) + 1);
      waiting[child] = (waiting[child] ?? 0) - 1;
      if (waiting[child] === 0) free.push(child);
    }
  }
  if (free.length < nodes.length) throw cycle(nodes, waiting);
  return levels;
}

/** Every node that was never freed waits for another such: following those leads around a cycle. */
function cycle(nodes: Linked, waiting: readonly number[]): Error {
  const seen = new Map<number, number>();
  const way: number[] = [];
  let current: number | undefined = waiting.findIndex((count) => count > 0);
  while (current !== undefined && !seen.has(current)) {
    seen.set(current, way.push(current));
    current = nodes[current]?.parents.find(({ index }) => (waiting[index] ?? 0) > 0)?.index;
  }
  const names = way.slice((seen.get(current ?? 0) ?? 1) - 1).map((index) => nodes[index]?.spec.name ?? '');
  const ring = [...names, names[0] ?? ''].reverse();
  const shown = ring.length > 12 ? [...ring.slice(0, 10), `… (${String(ring.length - 11)} more)`, ring.at(-1)] : ring;
  return invalid('workflow_cycle', `nodes wait for each other in a circle: ${shown.join(' → ')}`, {
    fields: [{ path: 'nodes', message: 'wait for each other in a circle', value: ring.slice(1, MAX_PROBLEMS + 1) }],
  });
}
