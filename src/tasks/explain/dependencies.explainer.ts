import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { FailurePolicy, Verdict } from '../workflows/ripple.js';
import { OPEN_DEPENDENCIES, WORKFLOW_NODE } from './explain.sql.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { count } from './words.js';

/** How many of the nodes that it waits for are named. */
const NAMED = 5;

interface NodeRow {
  name: string;
  waiting: number;
  verdict: Verdict;
  blamed: string | null;
  workflow: string;
}

interface DependencyRow {
  readonly name: string;
  readonly id: string;
  readonly status: string;
  readonly on_failure: FailurePolicy;
}

/** It is a node of a workflow whose turn has not come. */
@Injectable()
export class DependenciesExplainer implements Explainer {
  constructor(private readonly database: Database) {}

  async explain(task: ExplainedTask): Promise<readonly Reason[]> {
    if (task.status !== 'created' || task.workflowId === null) return [];
    const [node] = await this.database.query<NodeRow>(WORKFLOW_NODE, [task.id]);
    if (!node) return [];
    const open = await this.database.query<DependencyRow>(OPEN_DEPENDENCIES, [task.id, NAMED]);
    return [waiting(task, node, open)];
  }
}

function waiting({ workflowId }: ExplainedTask, node: NodeRow, open: readonly DependencyRow[]): Reason {
  const named = open.map(({ name, status }) => `${name} (${status})`).join(', ');
  const others = node.waiting > open.length ? ' and others' : '';
  return {
    code: 'waiting_for_dependencies',
    message: `It runs after ${count(node.waiting, 'node')} of the workflow ${node.workflow} that ${node.waiting === 1 ? 'has' : 'have'} not ended: ${named}${others}.`,
    next: OUTLOOK[node.verdict](node.blamed ?? ''),
    advice: 'Explain the node that it waits for.',
    facts: {
      workflow_id: workflowId,
      node: node.name,
      waiting: node.waiting,
      verdict: node.verdict,
      blamed: node.blamed,
      waits_for: open.map(({ id, name, status, on_failure }) => ({ id, name, status, on_failure })),
    },
  };
}

const OUTLOOK: Readonly<Record<Verdict, (blamed: string) => string>> = {
  run: () => 'It starts when the last of them has ended, unless one fails on which it depends.',
  skip: (blamed) => `It will be skipped when the last of them has ended, because of how ${blamed} ended.`,
  fail: (blamed) => `It will fail when the last of them has ended, because ${blamed} did not complete.`,
};
