import { Body, Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { TypeLimits } from '../limits/type-limits.js';
import { limitsIn } from './dto/limits.dto.js';
import {
  NameParamDto,
  ReasonDto,
  SetLimitsDto,
  toTypeLimitsDto,
  TypeLimitsDto,
  TypeLimitsListDto,
} from './dto/queues.dto.js';

@ApiTags('queues')
@Controller('task-types')
export class TypeLimitsController {
  constructor(private readonly limits: TypeLimits) {}

  /** Types that have limits of their own, or had. */
  @Get('limits')
  @Roles('viewer')
  async listTypeLimits(): Promise<TypeLimitsListDto> {
    return { items: (await this.limits.list()).map(toTypeLimitsDto) };
  }

  /** How much of a type may run at once and how fast, who paused it, and how its circuit stands. */
  @Get(':name/limits')
  @Roles('viewer')
  async getTypeLimits(@Param() { name }: NameParamDto): Promise<TypeLimitsDto> {
    return toTypeLimitsDto(await this.limits.get(name));
  }

  /** Replaces what was set before: null for no limit, left out for what is declared. An empty body takes all back. */
  @Put(':name/limits')
  @Roles('admin')
  async setTypeLimits(
    @Param() { name }: NameParamDto,
    @Body() { reason, ...body }: SetLimitsDto,
    @CurrentActor() { label: actor }: Actor,
  ): Promise<TypeLimitsDto> {
    return toTypeLimitsDto(await this.limits.set(name, limitsIn(body), { actor, reason }));
  }

  /** From the answer on, no task of this type is begun. What runs goes on. */
  @Post(':name/pause')
  @Roles('operator')
  @HttpCode(200)
  async pauseType(
    @Param() { name }: NameParamDto,
    @Body() { reason }: ReasonDto,
    @CurrentActor() { label: actor }: Actor,
  ): Promise<TypeLimitsDto> {
    return toTypeLimitsDto(await this.limits.pause(name, { actor, reason }));
  }

  @Post(':name/resume')
  @Roles('operator')
  @HttpCode(200)
  async resumeType(
    @Param() { name }: NameParamDto,
    @Body() { reason }: ReasonDto,
    @CurrentActor() { label: actor }: Actor,
  ): Promise<TypeLimitsDto> {
    return toTypeLimitsDto(await this.limits.resume(name, { actor, reason }));
  }

  /** Lets tasks go on at once, because whoever asks knows that what they depend on is back. */
  @Post(':name/breaker/close')
  @Roles('operator')
  @HttpCode(200)
  async closeBreaker(
    @Param() { name }: NameParamDto,
    @Body() { reason }: ReasonDto,
    @CurrentActor() { label: actor }: Actor,
  ): Promise<TypeLimitsDto> {
    return toTypeLimitsDto(await this.limits.closeCircuit(name, { actor, reason }));
  }
}
