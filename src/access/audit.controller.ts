import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { decodeCursor, encodeCursor } from '../platform/http/cursor.js';
import { Roles } from '../platform/http/declared-access.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { AuditService } from './audit.service.js';
import { AccessEventPageDto, toAccessEventDto } from './dto/access-event.dto.js';

@ApiTags('access')
@Controller('audit')
@Roles('admin')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  /** What was done to the tokens and by whom, newest first. */
  @Get()
  async listAuditEvents(@Query() { limit, cursor }: PageQueryDto): Promise<AccessEventPageDto> {
    const [before] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => /^\d{1,18}$/.test(id ?? ''));
    const page = await this.audit.list({ limit, before });
    return {
      items: page.items.map(toAccessEventDto),
      next_cursor: page.next === undefined ? null : encodeCursor([page.next]),
    };
  }
}
