import type { Type } from '@nestjs/common';
import { Command, Option, SubCommand } from 'nest-commander';
import { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { BaseCommand, type BaseOptions, GroupCommand } from '../../platform/cli/base.command.js';
import { UsageError } from '../../platform/cli/errors.js';
import { wholeNumber } from '../../platform/cli/options.js';
import { printResult, table } from '../../platform/cli/output.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { TaskStatus } from '../task-state.js';
import { WORKFLOW_STATUSES, type Workflow } from '../workflows/workflow.js';
import type { WorkflowSpec } from '../workflows/workflow-plan.js';
import type { WorkflowService } from '../workflows/workflow.service.js';
import { parseStatuses } from './task-filter-options.js';

const WORKFLOW_ARGUMENT = { arguments: '<workflow>', argsDescription: { workflow: 'its id, or the beginning of it' } };

@SubCommand({
  name: 'run',
  description: 'Starts the workflow that a file describes, as POST /workflows takes it',
  arguments: '<file>',
  argsDescription: { file: 'JSON: {"name": …, "nodes": [{"name": …, "type": …, "params": …, "after": […]}, …]}' },
})
export class WorkflowRunCommand extends BaseCommand {
  constructor(private readonly application: ApplicationEntry) {
    super();
  }

  async run([file = '']: string[], options: BaseOptions): Promise<void> {
    const spec = await specOf(await jsonFile(file));
    const { assertInTime } = await import('../workflows/workflow-plan.js');
    assertInTime(spec, new Date());
    await withWorkflows(
      async (workflows, { actor, dto }) => {
        const { id } = await workflows.start(spec, { actor });
        await show(workflows, id, { options, dto });
      },
      await this.application.modules(),
    );
  }
}

@SubCommand({ name: 'show', description: 'Shows a workflow and its nodes', ...WORKFLOW_ARGUMENT })
export class WorkflowShowCommand extends BaseCommand {
  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    await withWorkflows((workflows, { dto }) => show(workflows, id, { options, dto }));
  }
}

interface ListOptions extends BaseOptions {
  status?: readonly TaskStatus[];
  limit?: number;
}

@SubCommand({ name: 'list', description: 'Lists workflows, newest first' })
export class WorkflowListCommand extends BaseCommand {
  async run(_words: string[], { status, limit = 20, ...options }: ListOptions): Promise<void> {
    await withWorkflows(async (workflows, { dto }) => {
      const items = await workflows.list(status, { limit });
      await printResult(options, { items: items.map(dto.toWorkflowDto) }, () =>
        table(
          ['id', 'name', 'status', 'progress', 'nodes', 'failed', 'created', 'by'],
          items.map((one) => [
            one.id,
            one.name,
            one.status,
            `${String(one.progress)}%`,
            one.counts.total,
            one.counts.failed,
            one.createdAt,
            one.requestedBy,
          ]),
        ),
      );
    });
  }

  @Option({ flags: '--status <status>', description: `${WORKFLOW_STATUSES.join(', ')}; several with commas` })
  parseStatus(value: string): readonly TaskStatus[] {
    return parseStatuses(value);
  }

  @Option({ flags: '--limit <number>', description: 'at most this many (20)' })
  parseLimit(value: string): number {
    return wholeNumber('--limit', value, { max: 1_000 });
  }
}

@SubCommand({ name: 'cancel', description: 'Cancels every node that has not ended', ...WORKFLOW_ARGUMENT })
export class WorkflowCancelCommand extends BaseCommand {
  async run([id = '']: string[], options: BaseOptions): Promise<void> {
    await withWorkflows(async (workflows, { actor, dto }) => {
      const workflow = await workflows.cancel(id, actor);
      await printResult(options, dto.toWorkflowDto(workflow), () => stateText(workflow));
    });
  }
}

@SubCommand({
  name: 'retry-node',
  description: 'Runs a node again with all below it; without one, all that failed or was cancelled',
  arguments: '<workflow> [node]',
  argsDescription: { workflow: 'its id, or the beginning of it', node: 'the name of the node' },
})
export class WorkflowRetryNodeCommand extends BaseCommand {
  async run([id = '', node]: string[], options: BaseOptions): Promise<void> {
    await withWorkflows(async (workflows, { actor, dto }) => {
      const workflow = await workflows.retry(id, { node, actor });
      await printResult(options, dto.toWorkflowDto(workflow), () => stateText(workflow));
    });
  }
}

@Command({
  name: 'workflow',
  description: 'Workflows: tasks that wait for each other',
  subCommands: [
    WorkflowRunCommand,
    WorkflowShowCommand,
    WorkflowListCommand,
    WorkflowCancelCommand,
    WorkflowRetryNodeCommand,
  ],
})
export class WorkflowCommand extends GroupCommand {}

type Dto = typeof import('../http/dto/workflow.dto.js');

interface Tools {
  readonly actor: string;
  readonly dto: Dto;
}

async function withWorkflows(
  work: (workflows: WorkflowService, tools: Tools) => Promise<void>,
  modules: readonly Type[] = [],
): Promise<void> {
  const [{ TasksModule }, { WorkflowService: Service }, { AccessModule, cliActor }, dto] = await Promise.all([
    import('../tasks.module.js'),
    import('../workflows/workflow.service.js'),
    import('../../access/index.js'),
    import('../http/dto/workflow.dto.js'),
  ]);
  await withApplication([AccessModule, TasksModule, ...modules], (app) =>
    work(app.get(Service), { actor: cliActor().label, dto }),
  );
}

/** What a document describes, checked as a request's body is. */
async function specOf(document: unknown): Promise<WorkflowSpec> {
  const [{ StartWorkflowDto: metatype, toWorkflowSpec }, { InputValidationPipe }] = await Promise.all([
    import('../http/dto/start-workflow.dto.js'),
    import('../../platform/http/validation.pipe.js'),
  ]);
  const body: unknown = await new InputValidationPipe().transform(document, { type: 'body', metatype });
  return toWorkflowSpec(body as InstanceType<typeof metatype>);
}

async function show(
  workflows: WorkflowService,
  id: string,
  { options, dto }: { readonly options: BaseOptions; readonly dto: Dto },
): Promise<void> {
  const { workflowDetails } = await import('./workflow-details.js');
  const workflow = await workflows.get(id);
  const nodes = await workflows.nodes(workflow.id);
  await printResult(options, dto.toWorkflowGraphDto(workflow, nodes), () => workflowDetails(workflow, nodes));
}

async function jsonFile(file: string): Promise<unknown> {
  const { readFile } = await import('node:fs/promises');
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const stateText = ({ name, id, status, counts }: Workflow): string =>
  `${name} (${id}): ${status}, ${String(counts.open)} of ${String(counts.total)} nodes open`;
