import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import { Roles } from '../../access/index.js';
import { decodeCursor, encodeCursor } from '../../platform/http/cursor.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { type ArtefactPosition, LineageService } from '../lineage/lineage.service.js';
import { TaskLineageDto, toTaskLineageDto } from './dto/lineage.dto.js';

@ApiTags('tasks')
@Controller('tasks/:id/lineage')
@Roles('viewer')
export class LineageController {
  constructor(private readonly lineage: LineageService) {}

  /** What a task and its batches made, and from which inputs; what it is a part of; how often it was tried. */
  @Get()
  async getTaskLineage(@Param('id') id: string, @Query() { limit, cursor }: PageQueryDto): Promise<TaskLineageDto> {
    const after = cursor === undefined ? undefined : positionOf(cursor);
    const lineage = await this.lineage.ofTask(id, { limit, after });
    return toTaskLineageDto(lineage, lineage.next === undefined ? null : encodeCursor(lineage.next));
  }
}

function positionOf(cursor: string): ArtefactPosition {
  const [kind = '', subjectId = '', part = ''] = decodeCursor(cursor, 3, ([, subject]) => isUUID(subject));
  return [kind, subjectId, part];
}
