import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../http/declared-access.js';
import { LivenessDto, ReadinessDto } from './dto/health.dto.js';
import { Degradations } from './degradations.js';
import { Readiness } from './readiness.js';

@ApiTags('operations')
@Controller('health')
@Public()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly degradations: Degradations,
  ) {}

  /** Whether the process is up: answers without asking anything else. Restart it when this fails. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  getLiveness(): LivenessDto {
    return { status: 'ok' };
  }

  /** Whether requests can be served: 503 with the reason while the database is away and during shutdown. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiResponse({ status: 503, type: ReadinessDto, description: 'Not now; `reason` says why.' })
  async getReadiness(@Res({ passthrough: true }) response: Response): Promise<ReadinessDto> {
    const { ready, reason } = await this.readiness.report();
    response.status(ready ? 200 : 503);
    if (!ready) return { status: 'unavailable', reason };
    const degraded = this.degradations.list();
    return degraded.length === 0 ? { status: 'ready' } : { status: 'ready', degraded };
  }
}
