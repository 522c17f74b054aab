import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { ExternalTypes } from '../external/external-types.service.js';
import { declarationIn, DeclaredTypeDto, DeclareTypeDto } from './dto/external-type.dto.js';

@ApiTags('external workers')
@Controller('external/types')
export class ExternalTypesController {
  constructor(private readonly types: ExternalTypes) {}

  /**
   * Declares a kind of work that external workers do. Repeating it changes nothing; title, priority, retries and timeout of a
   * declared version may be changed so, its schemas and queue may not.
   */
  @Post()
  @Roles('operator')
  @ApiCreatedResponse({ type: DeclaredTypeDto })
  @ApiOkResponse({ type: DeclaredTypeDto, description: 'This version was declared before.' })
  async declareTaskType(
    @Body() body: DeclareTypeDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeclaredTypeDto> {
    const declaration = declarationIn(body);
    const { created } = await this.types.declare(declaration, actor.label);
    response.status(created ? 201 : 200);
    return { name: declaration.name, version: declaration.version, queue: declaration.queue, created };
  }
}
