import 'reflect-metadata';
import { IsIn, IsUrl, Matches, ValidateIf } from 'class-validator';
import { lowerCase } from './parse.js';
import { EventSettings } from './event-settings.js';
import { FromVariable } from './variable.js';

export const DISPATCHERS = ['postgres', 'redis'] as const;

/** What carries ready tasks to workers. */
export abstract class DispatchSettings extends EventSettings {
  @FromVariable({
    name: 'PHOTOSAFE_DISPATCH',
    default: 'postgres',
    allowed: DISPATCHERS.join(', '),
    meaning:
      'What carries ready tasks to the workers. With `redis`, BullMQ does; tasks are kept in PostgreSQL all the same: ' +
      'see operating.md.',
    parse: lowerCase,
  })
  @IsIn(DISPATCHERS)
  readonly dispatch: (typeof DISPATCHERS)[number];

  @FromVariable({
    name: 'REDIS_URL',
    allowed: 'a redis:// or, for TLS, rediss:// address, with user, password and database number if need be',
    meaning: 'The Redis (6.2 or newer) that carries tasks. Needed, and used, when `PHOTOSAFE_DISPATCH` is `redis`.',
    secret: true,
  })
  @ValidateIf(({ dispatch, redisUrl }: DispatchSettings) => dispatch === 'redis' || redisUrl !== undefined)
  @IsUrl({ protocols: ['redis', 'rediss'], require_protocol: true, require_tld: false, allow_underscores: true })
  readonly redisUrl?: string;

  @FromVariable({
    name: 'PHOTOSAFE_REDIS_PREFIX',
    default: 'photosafe',
    allowed: 'up to 64 letters, digits, and _ . -',
    meaning: 'All keys in Redis begin with it. Installations that share a Redis need one each.',
  })
  @Matches(/^[\w.-]{1,64}$/)
  readonly redisPrefix: string;
}
