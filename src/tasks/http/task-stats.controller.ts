import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '../../access/index.js';
import { TaskStatsReader } from '../stats/task-stats.js';
import { TaskStatsDto, TaskStatsQueryDto, toTaskStatsDto } from './dto/task-stats.dto.js';

@ApiTags('tasks')
@Controller('tasks/stats')
@Roles('viewer')
export class TaskStatsController {
  constructor(private readonly stats: TaskStatsReader) {}

  /** By type: how many tasks are in which status, how old the oldest are, and how many ended lately, how fast. */
  @Get()
  async getTaskStats(@Query() { minutes }: TaskStatsQueryDto): Promise<TaskStatsDto> {
    return toTaskStatsDto(await this.stats.read(minutes * 60_000));
  }
}
