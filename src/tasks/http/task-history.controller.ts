import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import { Roles } from '../../access/index.js';
import { cursorAfter, decodeCursor } from '../../platform/http/cursor.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { TaskService } from '../task.service.js';
import { TaskAttemptListDto, TaskEventPageDto, TaskPageDto } from './dto/task.dto.js';
import { toAttemptDtos, toTaskEventDto, toTaskPageDto } from './task-json.js';

/** Attempts are few; this many events tell of hundreds of them. */
const EVENTS_FOR_ATTEMPTS = 2_000;

@ApiTags('tasks')
@Controller('tasks/:id')
@Roles('viewer')
export class TaskHistoryController {
  constructor(private readonly tasks: TaskService) {}

  /** The audit trail of a task: every change of its status, oldest first. */
  @Get('events')
  async listTaskEvents(@Param('id') id: string, @Query() { limit, cursor }: PageQueryDto): Promise<TaskEventPageDto> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([key]) => /^\d{1,18}$/.test(key ?? ''));
    const task = await this.tasks.get(id);
    const events = await this.tasks.events(task.id, { after, limit });
    return { items: events.map(toTaskEventDto), next_cursor: cursorAfter(events, limit) };
  }

  /** The attempts at a task, oldest first, each with how it ended. */
  @Get('attempts')
  async listTaskAttempts(@Param('id') id: string): Promise<TaskAttemptListDto> {
    const task = await this.tasks.get(id);
    return { items: toAttemptDtos(await this.tasks.events(task.id, { limit: EVENTS_FOR_ATTEMPTS })) };
  }

  /** The batches of a task, newest first. */
  @Get('children')
  async listTaskChildren(@Param('id') id: string, @Query() { limit, cursor }: PageQueryDto): Promise<TaskPageDto> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([key]) => isUUID(key));
    const task = await this.tasks.get(id);
    return toTaskPageDto(await this.tasks.page({ parentId: task.id }, { limit, after }));
  }
}
