import { table } from '../../platform/cli/output.js';
import type { Workflow, WorkflowNode } from '../workflows/workflow.js';

/** More would scroll away; --json has all of them. */
const MAX_LINES = 200;
const MARKS: Readonly<Record<string, string>> = {
  created: '·',
  queued: '…',
  running: '▶',
  completed: '✓',
  failed: '✗',
  cancelled: '–',
  skipped: '»',
};

/** A workflow for a person: how it stands, and its nodes level by level. */
export async function workflowDetails(workflow: Workflow, nodes: readonly WorkflowNode[]): Promise<string> {
  const { total, open, completed, failed, cancelled, skipped } = workflow.counts;
  const facts = await table(
    ['field', 'value'],
    [
      ['id', workflow.id],
      ['name', workflow.name],
      ['status', workflow.cancelRequestedAt && open > 0 ? `${workflow.status}, asked to stop` : workflow.status],
      ['progress', `${String(workflow.progress)}%`],
      ['eta', workflow.eta],
      [
        'nodes',
        `${String(total)}: ${String(completed)} completed, ${String(failed)} failed, ${String(cancelled)} cancelled, ` +
          `${String(skipped)} skipped, ${String(open)} open`,
      ],
      ['requested by', workflow.requestedBy],
      ['created', workflow.createdAt],
      ['finished', workflow.completedAt],
    ],
  );
  return `${facts}\n\n${tree(nodes)}`;
}

/** One line a node, set in by its level; a node may hang below several, so it names those that it runs after. */
function tree(nodes: readonly WorkflowNode[]): string {
  const sorted = [...nodes].sort((a, b) => a.level - b.level);
  const lines = sorted.slice(0, MAX_LINES).map((node) => {
    const after = node.after.length === 0 ? '' : ` ← ${shortened(node.after.map((one) => one.node))}`;
    const error = node.errorCode === null ? '' : ` (${node.errorCode})`;
    return `${'  '.repeat(Math.min(node.level, 20))}${MARKS[node.status] ?? '?'} ${node.name}: ${node.status}${error}${after}`;
  });
  const more = sorted.length - lines.length;
  return [...lines, ...(more > 0 ? [`… and ${String(more)} more; --json lists all`] : [])].join('\n');
}

const shortened = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${String(names.length - 5)} more`;
