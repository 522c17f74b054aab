import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { cursorAfter, decodeCursor } from '../../platform/http/cursor.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { timeOf } from '../../platform/http/time-of.js';
import { UuidPipe } from '../../platform/http/uuid.pipe.js';
import { ScheduleRunsService } from '../schedules/schedule-runs.service.js';
import { ScheduleService } from '../schedules/schedule.service.js';
import { TaskService } from '../task.service.js';
import { ScheduleDto, SchedulePageDto, SchedulePreviewDto, toScheduleDto } from './dto/schedule.dto.js';
import { TaskDto } from './dto/task.dto.js';
import { CreateScheduleDto, PreviewQueryDto, PreviewScheduleDto, UpdateScheduleDto } from './dto/write-schedule.dto.js';
import { accepted } from './task-responses.js';
import { changesOf, termsOf } from './schedule-terms.js';

@ApiTags('schedules')
@Controller('schedules')
export class SchedulesController {
  constructor(
    private readonly schedules: ScheduleService,
    private readonly runs: ScheduleRunsService,
    private readonly tasks: TaskService,
  ) {}

  /** Schedules, oldest first, with their next fire times and what became of the last. */
  @Get()
  @Roles('viewer')
  async listSchedules(@Query() { limit, cursor }: PageQueryDto): Promise<SchedulePageDto> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => isUUID(id));
    const items = await this.schedules.list({ limit, after });
    return { items: items.map(toScheduleDto), next_cursor: cursorAfter(items, limit) };
  }

  /** Creates a schedule. Its task type and params are checked now, and again whenever it fires. */
  @Post()
  @Roles('admin')
  @ApiCreatedResponse({ type: ScheduleDto })
  async createSchedule(
    @Body() body: CreateScheduleDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScheduleDto> {
    const schedule = await this.schedules.create(termsOf(body), actor.label);
    response.setHeader('Location', `/api/schedules/${schedule.id}`);
    return toScheduleDto(schedule);
  }

  /** When an expression would fire that need not belong to a schedule. */
  @Post('preview')
  @Roles('viewer')
  @HttpCode(200)
  async previewExpression(@Body() body: PreviewScheduleDto): Promise<SchedulePreviewDto> {
    const { cron, time_zone, count, after } = body;
    const timeZone = time_zone ?? 'UTC';
    const fireTimes = await this.schedules.previewOf({ cron, timeZone, count, after: timeOf(after) });
    return { cron, time_zone: timeZone, fire_times: fireTimes };
  }

  /** One schedule. */
  @Get(':id')
  @Roles('viewer')
  async getSchedule(@Param('id', UuidPipe) id: string): Promise<ScheduleDto> {
    return toScheduleDto(await this.schedules.get(id));
  }

  /** Changes what is given. What is due by then still goes by the old terms. */
  @Patch(':id')
  @Roles('admin')
  async updateSchedule(
    @Param('id', UuidPipe) id: string,
    @Body() body: UpdateScheduleDto,
    @CurrentActor() actor: Actor,
  ): Promise<ScheduleDto> {
    return toScheduleDto(await this.schedules.update(id, changesOf(body), actor.label));
  }

  /** Deletes a schedule; its tasks stay. */
  @Delete(':id')
  @Roles('admin')
  @HttpCode(204)
  async deleteSchedule(@Param('id', UuidPipe) id: string): Promise<void> {
    await this.schedules.remove(id);
  }

  /** When it will fire next. */
  @Get(':id/preview')
  @Roles('viewer')
  async previewSchedule(
    @Param('id', UuidPipe) id: string,
    @Query() { count, after }: PreviewQueryDto,
  ): Promise<SchedulePreviewDto> {
    const { cron, timeZone } = await this.schedules.get(id);
    const fireTimes = await this.schedules.previewOf({ cron, timeZone, count, after: timeOf(after) });
    return { cron, time_zone: timeZone, fire_times: fireTimes };
  }

  /** Starts its task now, paused or not, unless its last one is unfinished. */
  @Post(':id/run')
  @Roles('operator')
  @HttpCode(202)
  @ApiAcceptedResponse({ type: TaskDto })
  async runSchedule(
    @Param('id', UuidPipe) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TaskDto> {
    return accepted(this.tasks, await this.runs.run(id, actor.label), response);
  }

  /** No ticks until it is resumed. A paused schedule is left as it is. */
  @Post(':id/pause')
  @Roles('admin')
  @HttpCode(200)
  async pauseSchedule(@Param('id', UuidPipe) id: string, @CurrentActor() actor: Actor): Promise<ScheduleDto> {
    return toScheduleDto(await this.schedules.pause(id, actor.label));
  }

  /** Goes on with the next tick from now; those of the pause are not made up for. */
  @Post(':id/resume')
  @Roles('admin')
  @HttpCode(200)
  async resumeSchedule(@Param('id', UuidPipe) id: string, @CurrentActor() actor: Actor): Promise<ScheduleDto> {
    return toScheduleDto(await this.schedules.resume(id, actor.label));
  }
}
