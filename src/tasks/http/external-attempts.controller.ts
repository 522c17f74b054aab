import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { attemptRefOf } from '../external/attempt-ref.js';
import { ExternalAttempts } from '../external/external-attempts.service.js';
import { ExternalClaims } from '../external/external-claims.service.js';
import {
  AttemptOutcomeDto,
  CompleteDto,
  FailDto,
  failureIn,
  HeartbeatDto,
  ReportDto,
  reportIn,
  toHeartbeatDto,
  toOutcomeDto,
} from './dto/external-attempt.dto.js';
import { ClaimDto, ClaimedDto, claimRequestIn, toClaimedDto } from './dto/external-claim.dto.js';

@ApiTags('external workers')
@Controller('external')
@Roles('worker')
export class ExternalAttemptsController {
  constructor(
    private readonly claims: ExternalClaims,
    private readonly attempts: ExternalAttempts,
  ) {}

  /** Takes tasks to work on, and waits for them when there are none. */
  @Post('claim')
  @HttpCode(200)
  async claimTasks(
    @Body() body: ClaimDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ClaimedDto> {
    const claimed = await this.claims.claim(claimRequestIn(body, actor.label), whenGone(response));
    return toClaimedDto(claimed, body.lease_ms);
  }

  /** Says that the worker is alive, for all attempts of the claim; and how far this one is. */
  @Post('attempts/:id/heartbeat')
  @HttpCode(200)
  async heartbeatAttempt(@Param('id') id: string, @Body() body: ReportDto): Promise<HeartbeatDto> {
    return toHeartbeatDto(attemptRefOf(id), await this.attempts.heartbeat(id, reportIn(body)));
  }

  /** Ends the attempt with a result. Repeating it gives the same answer. */
  @Post('attempts/:id/complete')
  @HttpCode(200)
  async completeAttempt(
    @Param('id') id: string,
    @Body() { result }: CompleteDto,
    @CurrentActor() actor: Actor,
  ): Promise<AttemptOutcomeDto> {
    return toOutcomeDto(attemptRefOf(id), await this.attempts.complete(id, result, actor.label));
  }

  /** Ends the attempt with an error. Repeating it gives the same answer. */
  @Post('attempts/:id/fail')
  @HttpCode(200)
  async failAttempt(
    @Param('id') id: string,
    @Body() body: FailDto,
    @CurrentActor() actor: Actor,
  ): Promise<AttemptOutcomeDto> {
    return toOutcomeDto(attemptRefOf(id), await this.attempts.fail(id, failureIn(body), actor.label));
  }

  /** Gives the task back without an attempt being counted; a task that is to be cancelled ends so. */
  @Post('attempts/:id/release')
  @HttpCode(200)
  async releaseAttempt(@Param('id') id: string, @Body() body: ReportDto): Promise<AttemptOutcomeDto> {
    return toOutcomeDto(attemptRefOf(id), await this.attempts.release(id, reportIn(body)));
  }
}

/** Fires when the caller hangs up before the answer is out; at once when that has happened already. */
function whenGone(response: Response): AbortSignal {
  if (response.closed) return AbortSignal.abort();
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}
