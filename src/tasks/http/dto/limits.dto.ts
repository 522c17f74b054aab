import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsInt,
  IsObject,
  IsOptional,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
  type ValidationArguments,
} from 'class-validator';
import {
  COOL_DOWN_MS,
  type Breaker,
  type Limits,
  type LimitsOverride,
  LONGEST_COOL_DOWN_MS,
  LONGEST_MS,
  MOST_AT_ONCE,
  type RateLimit,
  tooShortLongest,
} from '../../limits/limits.js';

/** Tasks may start as long as a bucket of `burst` is not empty; it fills up by `count` every `per_ms`. */
export class RateLimitDto {
  @IsInt()
  @Min(1)
  @Max(MOST_AT_ONCE)
  count: number;

  @IsInt()
  @Min(1)
  @Max(LONGEST_MS)
  per_ms: number;

  /** `count` when left out. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST_AT_ONCE)
  burst?: number;
}

const IsNoShorterThanCoolDown = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'noShorterThanCoolDown',
      validator: {
        validate: (_value: unknown, of?: ValidationArguments) => leastOf(of) === undefined,
        defaultMessage: (of?: ValidationArguments) => `must not be less than cool_down_ms, ${String(leastOf(of))}`,
      },
    },
    { context: { allowed: 'at least cool_down_ms' } },
  );

const leastOf = (of?: ValidationArguments): number | undefined => tooShortLongest(breakerIn(of?.object as BreakerDto));

/** After `failures` transient failures in a row the type is parked, and one task is tried after `cool_down_ms`. */
export class BreakerDto {
  @IsInt()
  @Min(1)
  @Max(MOST_AT_ONCE)
  failures: number;

  @ApiPropertyOptional({ default: COOL_DOWN_MS })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LONGEST_MS)
  cool_down_ms?: number;

  /** Each failed try doubles the cool-down, up to this. */
  @ApiPropertyOptional({ default: LONGEST_COOL_DOWN_MS })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LONGEST_MS)
  @IsNoShorterThanCoolDown()
  longest_cool_down_ms?: number;
}

/** Null: no limit, whatever the code declares. Left out: as the code declares it. */
export class QueueLimitsDto {
  /** Tasks that run at once, over all workers. */
  @ApiPropertyOptional({ nullable: true })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST_AT_ONCE)
  concurrency?: number | null;
}

export class LimitsDto extends QueueLimitsDto {
  /** Tasks of one concurrency key that run at once. */
  @ApiPropertyOptional({ nullable: true })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST_AT_ONCE)
  concurrency_per_key?: number | null;

  @ApiPropertyOptional({ type: RateLimitDto, nullable: true })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RateLimitDto)
  rate?: RateLimitDto | null;

  @ApiPropertyOptional({ type: BreakerDto, nullable: true })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => BreakerDto)
  breaker?: BreakerDto | null;
}

const rateIn = ({ count, per_ms: perMs, burst }: RateLimitDto): RateLimit => ({
  count,
  perMs,
  ...(burst && { burst }),
});

const breakerIn = ({
  failures,
  cool_down_ms: coolDownMs,
  longest_cool_down_ms: longestCoolDownMs,
}: BreakerDto): Breaker => ({
  failures,
  ...(coolDownMs && { coolDownMs }),
  ...(longestCoolDownMs && { longestCoolDownMs }),
});

export const limitsIn = (body: LimitsDto): LimitsOverride => ({
  ...(body.concurrency !== undefined && { concurrency: body.concurrency }),
  ...(body.concurrency_per_key !== undefined && { concurrencyPerKey: body.concurrency_per_key }),
  ...(body.rate !== undefined && { rate: body.rate && rateIn(body.rate) }),
  ...(body.breaker !== undefined && { breaker: body.breaker && breakerIn(body.breaker) }),
});

export const toLimitsDto = ({ concurrency, concurrencyPerKey, rate, breaker }: Limits | LimitsOverride): LimitsDto => ({
  ...(concurrency !== undefined && { concurrency }),
  ...(concurrencyPerKey !== undefined && { concurrency_per_key: concurrencyPerKey }),
  ...(rate !== undefined && { rate: rate && { count: rate.count, per_ms: rate.perMs, burst: rate.burst } }),
  ...(breaker !== undefined && {
    breaker: breaker && {
      failures: breaker.failures,
      cool_down_ms: breaker.coolDownMs,
      longest_cool_down_ms: breaker.longestCoolDownMs,
    },
  }),
});
