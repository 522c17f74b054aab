import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Actor, CurrentActor, CurrentRole, type Role, Roles } from '../../access/index.js';
import { forbidden, invalid } from '../../platform/errors/app-error.js';
import { type Bulk, CHUNK } from '../bulk/bulk.js';
import { BulkService } from '../bulk/bulk.service.js';
import { changeTasks } from '../bulk/bulk.task.js';
import { TaskService } from '../task.service.js';
import { BulkDto, BulkRequestDto, toBulkDto } from './dto/bulk.dto.js';
import { toTaskFilter } from './dto/task-filter.dto.js';

@ApiTags('tasks')
@Controller('tasks/bulk')
export class TaskBulkController {
  constructor(
    private readonly bulks: BulkService,
    private readonly tasks: TaskService,
  ) {}

  /**
   * Cancels, retries or deletes many tasks. First a dry run: it answers how many and which, and a token. Then the same with
   * `dry_run: false` and that token does it, to those tasks and no others: at once (200) when they are few, else in a task
   * (202). `delete` needs the role admin.
   */
  @Post()
  @Roles('operator')
  @HttpCode(200)
  @ApiOkResponse({ type: BulkDto })
  @ApiAcceptedResponse({ type: BulkDto })
  // eslint-disable-next-line no-restricted-syntax -- what its decorators put in, none of it optional
  async changeManyTasks(
    @Body() body: BulkRequestDto,
    @CurrentActor() actor: Actor,
    @CurrentRole() role: Role,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BulkDto> {
    if (body.action === 'delete' && role !== 'admin') {
      throw forbidden('role_insufficient', `Your role is ${role}; to delete tasks takes an admin.`);
    }
    if (body.dry_run === false) return this.perform(await this.confirmed(body, actor.label), actor.label, response);
    const bulk = await this.bulks.dryRun({
      action: body.action,
      filter: toTaskFilter(body.filter ?? {}),
      actor: actor.label,
    });
    return toBulkDto(bulk, await this.bulks.sample(bulk.id));
  }

  /** An operation on many tasks: what a dry run chose, or how far it is. */
  @Get(':token')
  @Roles('viewer')
  async getTaskBulk(@Param('token') token: string): Promise<BulkDto> {
    const bulk = await this.bulks.get(token);
    return toBulkDto(bulk, bulk.confirmedAt === null ? await this.bulks.sample(bulk.id) : []);
  }

  private confirmed({ action, filter, token, expected_count: count }: BulkRequestDto, actor: string): Promise<Bulk> {
    const asked = filter ? toTaskFilter(filter) : undefined;
    if (token) return this.bulks.confirm(token, { action, actor, filter: asked });
    if (typeof count === 'number') return this.bulks.confirmCount({ action, actor, filter: asked ?? {} }, count);
    throw invalid('bulk_not_confirmed', 'say what you mean to change: make a dry run, and send its token', {
      fields: [{ path: 'token', message: 'is missing', allowed: 'the token of a dry run, or expected_count' }],
    });
  }

  private async perform(bulk: Bulk, actor: string, response: Response): Promise<BulkDto> {
    if (bulk.finishedAt !== null) return toBulkDto(bulk);
    if (bulk.taskCount <= CHUNK) return toBulkDto(await this.bulks.perform(bulk.id));
    const { id } = await this.tasks.enqueue(changeTasks, { bulk_id: bulk.id }, { actor });
    response.status(202).setHeader('Location', `/api/tasks/${id}`);
    return toBulkDto(bulk, [], id);
  }
}
