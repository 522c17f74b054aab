import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { Clock } from '../../platform/clock/clock.js';
import { cursorAfter, decodeCursor } from '../../platform/http/cursor.js';
import { assertInTime } from '../workflows/workflow-plan.js';
import { WorkflowService } from '../workflows/workflow.service.js';
import { StartWorkflowDto, toWorkflowSpec } from './dto/start-workflow.dto.js';
import {
  ListWorkflowsDto,
  RetryWorkflowDto,
  toWorkflowDto,
  toWorkflowGraphDto,
  WorkflowDto,
  WorkflowGraphDto,
  WorkflowPageDto,
} from './dto/workflow.dto.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { statusesOf } from './status-words.js';

@ApiTags('workflows')
@Controller('workflows')
export class WorkflowsController {
  constructor(
    private readonly workflows: WorkflowService,
    private readonly clock: Clock,
  ) {}

  /** Starts tasks that wait for each other, as one. With `Idempotency-Key`, a repeated request gives the first one's. */
  @Post()
  @Roles('operator')
  @HttpCode(202)
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'Up to 255 characters of your choice.' })
  @ApiAcceptedResponse({
    type: WorkflowDto,
    headers: { Location: { description: 'Where the workflow is.', schema: { type: 'string' } } },
  })
  async startWorkflow(
    @Body() body: StartWorkflowDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WorkflowDto> {
    const idempotencyKey = idempotencyKeyOf(response.req.header('idempotency-key'));
    const spec = toWorkflowSpec(body);
    const { id, created } = await this.workflows.start(spec, {
      actor: actor.label,
      idempotencyKey,
      refuse: () => {
        assertInTime(spec, this.clock.now());
      },
    });
    response.setHeader('Location', `/api/workflows/${id}`);
    if (!created) response.setHeader('Idempotent-Replay', 'true');
    return toWorkflowDto(await this.workflows.get(id));
  }

  /** Workflows, newest first. */
  @Get()
  @Roles('viewer')
  async listWorkflows(@Query() { status, limit, cursor }: ListWorkflowsDto): Promise<WorkflowPageDto> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => isUUID(id));
    const items = await this.workflows.list(status === undefined ? undefined : statusesOf(status.split(',')), {
      limit,
      after,
    });
    return { items: items.map(toWorkflowDto), next_cursor: cursorAfter(items, limit) };
  }

  /** A workflow, by its id or the beginning of it, with its graph: every node, where it stands, and what it runs after. */
  @Get(':id')
  @Roles('viewer')
  async getWorkflow(@Param('id') id: string): Promise<WorkflowGraphDto> {
    const workflow = await this.workflows.get(id);
    return toWorkflowGraphDto(workflow, await this.workflows.nodes(workflow.id));
  }

  /** Cancels every node that has not ended; running ones end within seconds. A finished workflow is left as it is. */
  @Post(':id/cancel')
  @Roles('operator')
  @HttpCode(200)
  async cancelWorkflow(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<WorkflowDto> {
    return toWorkflowDto(await this.workflows.cancel(id, actor.label));
  }

  /** Runs a node again with all that hangs below it, or all that failed or was cancelled. Nodes above keep their results. */
  @Post(':id/retry')
  @Roles('operator')
  @HttpCode(200)
  async retryWorkflow(
    @Param('id') id: string,
    @Body() { node }: RetryWorkflowDto,
    @CurrentActor() actor: Actor,
  ): Promise<WorkflowDto> {
    return toWorkflowDto(await this.workflows.retry(id, { node: node ?? undefined, actor: actor.label }));
  }
}
