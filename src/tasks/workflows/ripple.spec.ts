import fc from 'fast-check';
import { FAILURE_POLICIES, type FailurePolicy, type Outcome, Ripple, type RippleNode, verdictOf } from './ripple.js';

interface Graph {
  /** Parents of each node with the policy of the edge; always earlier nodes. */
  readonly parents: readonly (readonly { readonly index: number; readonly policy: FailurePolicy }[])[];
  /** How each node would end if it ran. */
  readonly own: readonly Outcome[];
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 14 }).chain((size) =>
  fc.record({
    parents: fc.tuple(
      ...Array.from({ length: size }, (_, index) =>
        index === 0
          ? fc.constant([])
          : fc.uniqueArray(
              fc.record({ index: fc.nat({ max: index - 1 }), policy: fc.constantFrom(...FAILURE_POLICIES) }),
              { selector: (edge) => edge.index, maxLength: 4 },
            ),
      ),
    ),
    own: fc.array(fc.constantFrom<Outcome>('completed', 'completed', 'failed', 'cancelled'), {
      minLength: size,
      maxLength: size,
    }),
  }),
);

/** What the table in docs/workflows.md says, node by node from the top. */
function expected({ parents, own }: Graph): Outcome[] {
  const ends: Outcome[] = [];
  for (const [index, edges] of parents.entries()) {
    const verdicts = edges.map((edge) => verdictOf(ends[edge.index] ?? 'completed', edge.policy));
    ends.push(
      verdicts.includes('fail') ? 'failed' : verdicts.includes('skip') ? 'skipped' : (own[index] ?? 'completed'),
    );
  }
  return ends;
}

/** Ends nodes in any order that the graph allows, and reads edges only when they are asked for. */
function played(
  { parents, own }: Graph,
  picks: readonly number[],
): { ends: (Outcome | null)[]; blamed: (string | null)[] } {
  const nodes = parents.map((edges, index): RippleNode => ({
    ...{
      id: String(index),
      workflowId: 'w',
      name: String(index).padStart(2, '0'),
      level: 0,
      weight: 1,
      dynamic: false,
    },
    ...{ waiting: edges.length, verdict: 'run', blamed: null, outcome: null },
  }));
  const running = nodes.filter(({ waiting }) => waiting === 0);
  for (let step = 0; running.length > 0; step += 1) {
    const [node] = running.splice((picks[step % picks.length] ?? 0) % running.length, 1);
    if (!node) throw new Error('nothing runs');
    node.outcome = own[Number(node.id)] ?? 'completed';
    const ripple = new Ripple();
    ripple.add(node);
    for (let wave = [node]; wave.length > 0; wave = ripple.spread(wave)) {
      for (const parent of wave) {
        const below = parents.flatMap((edges, child) =>
          edges.flatMap(({ index, policy }) =>
            index === Number(parent.id) && nodes[child]
              ? [{ parentId: parent.id, child: nodes[child], onFailure: policy }]
              : [],
          ),
        );
        ripple.expand(parent.id, below);
      }
    }
    running.push(...ripple.takeReady());
  }
  return { ends: nodes.map(({ outcome }) => outcome), blamed: nodes.map(({ blamed }) => blamed) };
}

describe('the ends of nodes', () => {
  it('lead to the same ends below them in every order, as the policies of the edges say', () => {
    fc.assert(
      fc.property(
        graphs,
        fc.array(fc.nat(), { minLength: 1 }),
        fc.array(fc.nat(), { minLength: 1 }),
        (graph, one, two) => {
          const [first, second] = [played(graph, one), played(graph, two)];
          expect(first.ends).toEqual(expected(graph));
          expect(second).toEqual(first);
        },
      ),
      { numRuns: 500 },
    );
  });
});
