import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../access/index.js';
import { analyze, thumbnails } from '../images/index.js';
import { cursorAfter, decodeCursor } from '../platform/http/cursor.js';
import { notFound } from '../platform/errors/app-error.js';
import {
  accepted,
  type AnyTaskDefinition,
  idempotencyKeyOf,
  type Task,
  TaskService,
  toTaskDto,
} from '../tasks/index.js';
import { TaskDto, TaskPageDto } from '../tasks/tasks-http.module.js';
import { CatalogsService } from './catalogs.service.js';
import { ListJobsDto, StartJobDto, StartThumbnailsDto } from './dto/job.dto.js';
import { JOB_TYPES } from './rebuild.service.js';
import { rebuild } from './tasks/rebuild.task.js';

const IDEMPOTENCY = { name: 'Idempotency-Key', required: false, description: 'Up to 255 characters of your choice.' };

/** Work on a whole catalogue. Jobs are tasks: everything under `/tasks` holds for them too. */
@ApiTags('jobs')
@Controller('jobs')
export class JobsController {
  constructor(
    private readonly tasks: TaskService,
    private readonly catalogs: CatalogsService,
  ) {}

  /** Finds new, changed, moved and missing photos and reads their metadata. */
  @Post('analyze')
  @Roles('operator')
  @HttpCode(202)
  @ApiHeader(IDEMPOTENCY)
  @ApiAcceptedResponse({ type: TaskDto })
  async startAnalyze(
    @Body() body: StartJobDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TaskDto> {
    return this.start(analyze, body, { actor, response });
  }

  /** Makes the thumbnails that are missing. */
  @Post('thumbnails')
  @Roles('operator')
  @HttpCode(202)
  @ApiHeader(IDEMPOTENCY)
  @ApiAcceptedResponse({ type: TaskDto })
  async startThumbnails(
    @Body() body: StartThumbnailsDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TaskDto> {
    return this.start(thumbnails, body, { actor, response });
  }

  /** Does everything that is missing, one phase after the other. */
  @Post('rebuild')
  @Roles('operator')
  @HttpCode(202)
  @ApiHeader(IDEMPOTENCY)
  @ApiAcceptedResponse({ type: TaskDto })
  async startRebuild(
    @Body() body: StartJobDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TaskDto> {
    return this.start(rebuild, body, { actor, response });
  }

  /** Jobs, newest first; not those that are part of a rebuild. */
  @Get()
  @Roles('viewer')
  async listJobs(@Query() { type, limit, cursor }: ListJobsDto): Promise<TaskPageDto> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => isUUID(id));
    const types = type === undefined ? JOB_TYPES : [type];
    const jobs = await this.tasks.list({ types, topLevel: true }, { limit, after });
    return { items: jobs.map(toTaskDto), next_cursor: cursorAfter(jobs, limit) };
  }

  /** One job. */
  @Get(':id')
  @Roles('viewer')
  async getJob(@Param('id') id: string): Promise<TaskDto> {
    return toTaskDto(await this.job(id));
  }

  /** Runs again only the batches of a failed or cancelled job that did not complete. */
  @Post(':id/retry-failed-batches')
  @Roles('operator')
  @HttpCode(202)
  @ApiAcceptedResponse({ type: TaskDto })
  async retryFailedBatches(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<TaskDto> {
    const job = await this.job(id);
    return toTaskDto(await this.tasks.retryFailedBatches(job.id, actor.label));
  }

  private async start(
    definition: AnyTaskDefinition,
    { catalog_id: catalogId, ...options }: StartJobDto,
    { actor, response }: { actor: Actor; response: Response },
  ): Promise<TaskDto> {
    const catalog = await this.catalogs.chosen(catalogId);
    const input = { ...options, catalog_id: catalog.id };
    const idempotencyKey = idempotencyKeyOf(response.req.header('idempotency-key'));
    const added = await this.tasks.enqueue(definition, input, { actor: actor.label, idempotencyKey });
    return accepted(this.tasks, added, response);
  }

  private async job(id: string): Promise<Task> {
    const task = await this.tasks.get(id);
    if ((JOB_TYPES as readonly string[]).includes(task.type)) return task;
    throw notFound('job_not_found', `task ${task.id} is no job but ${task.type}: see /tasks/${task.id}`);
  }
}
