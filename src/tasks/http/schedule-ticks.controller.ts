import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '../../access/index.js';
import { decodeCursor, encodeCursor } from '../../platform/http/cursor.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { UuidPipe } from '../../platform/http/uuid.pipe.js';
import { ScheduleRunsService } from '../schedules/schedule-runs.service.js';
import { ScheduleService } from '../schedules/schedule.service.js';
import { ScheduleTickPageDto, toTickDto } from './dto/schedule.dto.js';

@ApiTags('schedules')
@Controller('schedules/:id/ticks')
@Roles('viewer')
export class ScheduleTicksController {
  constructor(
    private readonly schedules: ScheduleService,
    private readonly runs: ScheduleRunsService,
  ) {}

  /** What became of its ticks, newest first: also of those that started nothing, and why. The last 200 are kept. */
  @Get()
  async listScheduleTicks(
    @Param('id', UuidPipe) id: string,
    @Query() { limit, cursor }: PageQueryDto,
  ): Promise<ScheduleTickPageDto> {
    const schedule = await this.schedules.get(id);
    const ticks = await this.runs.list(schedule.id, { limit, after: cursor === undefined ? undefined : keyOf(cursor) });
    const last = ticks.length === limit ? ticks.at(-1) : undefined;
    return {
      items: ticks.map(toTickDto),
      next_cursor: last === undefined ? null : encodeCursor([last.at.toISOString(), last.cause]),
    };
  }
}

function keyOf(cursor: string): { at: Date; cause: 'tick' | 'manual' } {
  const isKey = ([at = '', cause = '']: readonly string[]): boolean =>
    /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(at) && !Number.isNaN(Date.parse(at)) && ['tick', 'manual'].includes(cause);
  const [at = '', cause] = decodeCursor(cursor, 2, isKey);
  return { at: new Date(at), cause: cause === 'manual' ? 'manual' : 'tick' };
}
