import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '../../access/index.js';
import { ExplainService } from '../explain/explain.service.js';
import { ExplanationDto, toExplanationDto } from './dto/explanation.dto.js';

@ApiTags('tasks')
@Controller('tasks/:id')
@Roles('viewer')
export class TaskExplainController {
  constructor(private readonly explanations: ExplainService) {}

  /** Why a task is not running, or how it runs, or how it ended; what happens next, and what can be done. */
  @Get('explain')
  async explainTask(@Param('id') id: string): Promise<ExplanationDto> {
    return toExplanationDto(await this.explanations.explain(id));
  }
}
