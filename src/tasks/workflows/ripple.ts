/** How a node ended. `skipped` is stored as a cancelled task whose error code is `skipped`. */
export type Outcome = 'completed' | 'failed' | 'cancelled' | 'skipped';

/** What becomes of a node whose parent did not complete. */
export const FAILURE_POLICIES = ['fail', 'skip', 'run_anyway'] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

/** What a node's parents demand of it; the gravest wins. */
export type Verdict = 'run' | 'skip' | 'fail';
const GRAVITY: Readonly<Record<Verdict, number>> = { run: 0, skip: 1, fail: 2 };

/** A node as far as moving it goes. The ripple changes it; whoever made the ripple writes it back. */
export interface RippleNode {
  readonly id: string;
  readonly workflowId: string;
  readonly name: string;
  /** The longest way to it from a node without parents. */
  readonly level: number;
  readonly weight: number;
  /** Takes something from its parents' results, so these must be read before it can start. */
  readonly dynamic: boolean;
  /** Parents that have not ended. */
  waiting: number;
  verdict: Verdict;
  /** The parent behind the verdict; the first by name, so that the order in which parents end does not matter. */
  blamed: string | null;
  outcome: Outcome | null;
}

export interface RippleEdge {
  readonly parentId: string;
  readonly child: RippleNode;
  readonly onFailure: FailurePolicy;
}

/**
 * What a parent's end demands of a child. Cancelled counts like failed. A skipped parent is no failure, but neither has
 * it done what the child builds on: the skip goes on, unless the child is to run anyway.
 */
export function verdictOf(outcome: Outcome, onFailure: FailurePolicy): Verdict {
  if (outcome === 'completed' || onFailure === 'run_anyway') return 'run';
  return outcome === 'skipped' ? 'skip' : onFailure;
}

/**
 * What follows in a graph when nodes end. A node is decided once, when its last parent has ended: it may start, or it ends
 * itself (failed or skipped), which goes on to its children. Knows the part of the graph that it was given and says
 * where it needs more. Pure: no order of events and no clock has a part in it.
 */
export class Ripple {
  private readonly nodes = new Map<string, RippleNode>();
  private readonly below = new Map<string, RippleEdge[]>();
  /** Nodes that changed. */
  readonly touched = new Set<RippleNode>();
  /** Nodes that ended because of their parents. */
  readonly ended: RippleNode[] = [];
  private ready: RippleNode[] = [];

  /** Adds a node, or gives the one there is: what this ripple has changed is newer than what was read again. */
  add(node: RippleNode): RippleNode {
    const known = this.nodes.get(node.id) ?? node;
    this.nodes.set(node.id, known);
    return known;
  }

  /** Makes known all edges out of `parentId`. */
  expand(parentId: string, edges: readonly RippleEdge[]): void {
    if (this.below.has(parentId)) return;
    this.below.set(
      parentId,
      edges.map((edge) => ({ ...edge, child: this.add(edge.child) })),
    );
  }

  isExpanded(node: RippleNode): boolean {
    return this.below.has(node.id);
  }

  /** Carries the ends of `wave` on as far as the graph is known; gives those whose edges must be known to go on. */
  spread(wave: readonly RippleNode[]): RippleNode[] {
    const open = [...wave];
    const unknown: RippleNode[] = [];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const edges = this.below.get(next.id);
      if (edges === undefined) {
        unknown.push(next);
        continue;
      }
      for (const { child, onFailure } of edges) {
        this.parentEnded(child, next, onFailure);
        if (this.decide(child)) open.push(child);
      }
    }
    return unknown;
  }

  /** Counts an end of a parent. */
  parentEnded(
    child: RippleNode,
    parent: { readonly name: string; readonly outcome: Outcome | null },
    policy: FailurePolicy,
  ) {
    if (parent.outcome === null) throw new Error(`node ${parent.name} has not ended`);
    const verdict = verdictOf(parent.outcome, policy);
    const change = GRAVITY[verdict] - GRAVITY[child.verdict];
    if (change > 0 || (change === 0 && verdict !== 'run' && parent.name < (child.blamed ?? ''))) {
      child.verdict = verdict;
      child.blamed = parent.name;
    }
    child.waiting -= 1;
    this.touched.add(child);
  }

  /** Decides a node whose parents have all ended; true when it ended itself. */
  decide(node: RippleNode): boolean {
    if (node.waiting > 0 || node.outcome !== null) return false;
    if (node.verdict === 'run') {
      this.ready.push(node);
      return false;
    }
    this.end(node, node.verdict === 'fail' ? 'failed' : 'skipped');
    return true;
  }

  /** Ends a node that was ready to start but cannot, or need not. */
  end(node: RippleNode, outcome: Outcome): void {
    node.outcome = outcome;
    this.touched.add(node);
    this.ended.push(node);
  }

  /** Those that may start, each once. */
  takeReady(): RippleNode[] {
    const taken = this.ready;
    this.ready = [];
    return taken;
  }
}
