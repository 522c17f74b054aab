import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { Clock } from '../../platform/clock/clock.js';
import { decodeCursor } from '../../platform/http/cursor.js';
import { timeOf } from '../../platform/http/time-of.js';
import { invalid } from '../../platform/errors/app-error.js';
import { startByProblem, type StartTimes } from '../start-times.js';
import { TaskService } from '../task.service.js';
import { CreateTaskDto } from './dto/create-task.dto.js';
import { ListTasksDto } from './dto/list-tasks.dto.js';
import { toTaskFilter } from './dto/task-filter.dto.js';
import { TaskDto, TaskPageDto, TaskResultDto, TaskStatusDto } from './dto/task.dto.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { toTaskDto, toTaskPageDto, toTaskStatusDto } from './task-json.js';
import { accepted } from './task-responses.js';

@ApiTags('tasks')
@Controller('tasks')
export class TasksController {
  constructor(
    private readonly tasks: TaskService,
    private readonly clock: Clock,
  ) {}

  /** Creates a task. With `Idempotency-Key`, a repeated request gives the task of the first. */
  @Post()
  @Roles('operator')
  @HttpCode(202)
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'Up to 255 characters of your choice.' })
  @ApiAcceptedResponse({
    type: TaskDto,
    headers: { Location: { description: 'Where the task is.', schema: { type: 'string' } } },
  })
  async createTask(
    @Body() body: CreateTaskDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TaskDto> {
    const times = { runAt: timeOf(body.run_at), startBy: timeOf(body.start_by) };
    const added = await this.tasks.create(body.type, body.params ?? {}, {
      actor: actor.label,
      name: body.name,
      description: body.description,
      domain: body.domain,
      driftScore: body.drift_score,
      runImmediately: body.run_immediately,
      priority: body.priority,
      ...times,
      refuse: () => {
        assertInTime(times, this.clock.now());
      },
      dedupKey: body.dedup_key,
      metadata: body.task_metadata,
      idempotencyKey: idempotencyKeyOf(response.req.header('idempotency-key')),
    });
    return accepted(this.tasks, added, response);
  }

  /**
   * Tasks, newest first. The first page has a `total`: counted as far as that is quick (10,000 at most), beyond that estimated,
   * and `total_is_estimate` says which. Each page looks at a bounded number of tasks: with a filter that matches few of many
   * it may be short, even empty, and still have a `next_cursor` that goes on.
   */
  @Get()
  @Roles('viewer')
  async listTasks(@Query() query: ListTasksDto): Promise<TaskPageDto> {
    const [after] = query.cursor === undefined ? [] : decodeCursor(query.cursor, 1, ([id]) => isUUID(id));
    const { limit, offset } = query;
    return toTaskPageDto(await this.tasks.page(toTaskFilter(query), { limit, after, offset }));
  }

  /** One task, by its id or the beginning of it. */
  @Get(':id')
  @Roles('viewer')
  async getTask(@Param('id') id: string): Promise<TaskDto> {
    return toTaskDto(await this.tasks.get(id));
  }

  /** Where a task stands: little, for polling. */
  @Get(':id/status')
  @Roles('viewer')
  async getTaskStatus(@Param('id') id: string): Promise<TaskStatusDto> {
    return toTaskStatusDto(await this.tasks.get(id));
  }

  /** What a task gave. */
  @Get(':id/result')
  @Roles('viewer')
  async getTaskResult(@Param('id') id: string): Promise<TaskResultDto> {
    const task = await this.tasks.get(id);
    return { id: task.id, status: task.status, result: task.result, result_ref: task.resultRef };
  }

  /** Starts a task that waits to be run, or that failed or was cancelled. Any other is left as it is. */
  @Post(':id/run')
  @Roles('operator')
  @HttpCode(200)
  async runTask(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<TaskDto> {
    return toTaskDto(await this.tasks.run(id, actor.label));
  }

  /** Starts a failed or cancelled task again. Any other is left as it is. */
  @Post(':id/retry')
  @Roles('operator')
  @HttpCode(200)
  async retryTask(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<TaskDto> {
    return toTaskDto(await this.tasks.retry(id, actor.label));
  }

  /** Cancels a task and its batches; a running one ends within seconds. A finished one is left as it is. */
  @Post(':id/cancel')
  @Roles('operator')
  @HttpCode(200)
  async cancelTask(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<TaskDto> {
    return toTaskDto(await this.tasks.cancel(id, actor.label));
  }
}

/** @throws invalid `validation_failed` for a task that could never start in time. */
function assertInTime(times: StartTimes, now: Date): void {
  const problem = startByProblem(times, now);
  if (!problem) return;
  const fields = [{ path: 'start_by', ...problem }];
  throw invalid('validation_failed', 'One field of the body is not acceptable: start_by.', { fields });
}
