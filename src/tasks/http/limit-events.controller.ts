import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '../../access/index.js';
import { cursorAfter, decodeCursor } from '../../platform/http/cursor.js';
import { LimitsService } from '../limits/limits.service.js';
import { LimitEventPageDto, LimitEventQueryDto, toLimitEventDto } from './dto/queues.dto.js';

@ApiTags('queues')
@Controller('limit-events')
export class LimitEventsController {
  constructor(private readonly limits: LimitsService) {}

  /** Who paused, resumed and limited what, when and why; and when circuits opened and closed. Newest first. */
  @Get()
  @Roles('viewer')
  async listLimitEvents(@Query() { scope, name, limit, cursor }: LimitEventQueryDto): Promise<LimitEventPageDto> {
    const [before] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => /^\d{1,18}$/.test(id ?? ''));
    const events = await this.limits.events({ scope, name }, { limit, before });
    return { items: events.map(toLimitEventDto), next_cursor: cursorAfter(events, limit) };
  }
}
