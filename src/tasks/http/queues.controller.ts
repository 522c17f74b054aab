import { Body, Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { LimitsService, type LimitSubject } from '../limits/limits.service.js';
import { QueueOverview } from '../limits/queue-overview.js';
import { limitsIn } from './dto/limits.dto.js';
import { NameParamDto, QueueDto, QueueListDto, ReasonDto, SetQueueLimitsDto, toQueueDto } from './dto/queues.dto.js';

@ApiTags('queues')
@Controller('queues')
export class QueuesController {
  constructor(
    private readonly queues: QueueOverview,
    private readonly limits: LimitsService,
  ) {}

  /** The queues there are: what waits and runs in each, whether it is paused, and what limits it. */
  @Get()
  @Roles('viewer')
  async listQueues(): Promise<QueueListDto> {
    return { items: (await this.queues.list()).map(toQueueDto) };
  }

  @Get(':name')
  @Roles('viewer')
  async getQueue(@Param() { name }: NameParamDto): Promise<QueueDto> {
    return toQueueDto(await this.queues.get(name));
  }

  /** From the answer on, none of its tasks is begun. What runs goes on. */
  @Post(':name/pause')
  @Roles('operator')
  @HttpCode(200)
  async pauseQueue(
    @Param() { name }: NameParamDto,
    @Body() { reason }: ReasonDto,
    @CurrentActor() { label: actor }: Actor,
  ): Promise<QueueDto> {
    await this.limits.pause(await this.subject(name), { actor, reason });
    return toQueueDto(await this.queues.get(name));
  }

  @Post(':name/resume')
  @Roles('operator')
  @HttpCode(200)
  async resumeQueue(
    @Param() { name }: NameParamDto,
    @Body() { reason }: ReasonDto,
    @CurrentActor() { label: actor }: Actor,
  ): Promise<QueueDto> {
    await this.limits.resume(await this.subject(name), { actor, reason });
    return toQueueDto(await this.queues.get(name));
  }

  /** Replaces what was set before; an empty body takes it back. */
  @Put(':name/limits')
  @Roles('admin')
  async setQueueLimits(
    @Param() { name }: NameParamDto,
    @Body() { reason, ...body }: SetQueueLimitsDto,
    @CurrentActor() { label: actor }: Actor,
  ): Promise<QueueDto> {
    await this.limits.set(await this.subject(name), limitsIn(body), { actor, reason });
    return toQueueDto(await this.queues.get(name));
  }

  /** A misspelt name is not one to pause. */
  private async subject(name: string): Promise<LimitSubject> {
    await this.queues.get(name);
    return { scope: 'queue', name };
  }
}
