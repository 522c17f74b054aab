import 'reflect-metadata';
import { IsIn, IsInt, IsOptional, IsUrl, Max, Min, MinLength, Matches } from 'class-validator';
import { isAbsolute, resolve } from 'node:path';
import type { DatabaseSettings, Environment } from './database-url.js';
import { ImageSettings } from './image-settings.js';
import { readEnvironment } from './read-environment.js';
import { lowerCase, wholeNumber } from './parse.js';
import { FromVariable } from './variable.js';

export const ROLES = ['all', 'api', 'worker'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Everything that can be set from outside, read and checked once. */
export class Settings extends ImageSettings {
  @FromVariable({
    name: 'PHOTOSAFE_ROLE',
    default: 'all',
    allowed: ROLES.join(', '),
    meaning: 'What this process does: answer HTTP, work on tasks, or both.',
    parse: lowerCase,
  })
  @IsIn(ROLES)
  readonly role: (typeof ROLES)[number];

  @FromVariable({
    name: 'HOST',
    default: '127.0.0.1',
    allowed: 'an address or a host name; 0.0.0.0 or :: for every network',
    meaning: 'Where the HTTP server listens. Only this machine reaches the default.',
  })
  @Matches(/^[\w.:-]+$/)
  readonly host: string;

  @FromVariable({
    name: 'PORT',
    default: '3000',
    allowed: 'a whole number from 0 to 65535; 0 takes any free port',
    meaning: 'Port of the HTTP server.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(0)
  @Max(65_535)
  readonly port: number;

  @FromVariable({
    name: 'PHOTOSAFE_METRICS_PORT',
    allowed: 'a whole number from 0 to 65535; 0 takes any free port',
    meaning:
      'Port on which a process that only works on tasks shows its metrics, at /metrics of HOST, to everybody who reaches ' +
      'it. Unset: it shows none. Processes with the API show theirs at /api/metrics.',
    parse: wholeNumber,
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(65_535)
  readonly metricsPort?: number;

  @FromVariable({
    name: 'PHOTOSAFE_PUBLIC_URL',
    allowed: 'an http:// or https:// address',
    meaning: 'Where people reach the HTTP server, when it is behind a proxy. Used in links that PhotoSafe prints.',
  })
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  readonly publicUrl?: string;

  @FromVariable({
    name: 'PHOTOSAFE_DATA_DIR',
    default: './var',
    allowed: 'a folder that can be written to; it is made when missing',
    meaning: 'Holds thumbnails and, without a configured database, the database. Relative to the working folder.',
    parse: (text) => (isAbsolute(text) ? text : resolve(text)),
  })
  @Matches(/^[^\0]+$/)
  readonly dataDir: string;

  @FromVariable({
    name: 'LOG_LEVEL',
    default: 'info',
    allowed: `${LOG_LEVELS.join(', ')}, in any case`,
    meaning: 'The least important lines that are logged.',
    parse: (text) =>
      lowerCase(text)
        .replace(/^warning$/, 'warn')
        .replace(/^critical$/, 'fatal'),
  })
  @IsIn(LOG_LEVELS)
  readonly logLevel: (typeof LOG_LEVELS)[number];

  @FromVariable({
    name: 'PHOTOSAFE_BOOTSTRAP_TOKEN',
    allowed: 'at least 32 characters without spaces',
    meaning:
      'The admin token of a fresh installation, for automation. Without it the first start makes one and prints it.',
    secret: true,
  })
  @IsOptional()
  @MinLength(32)
  @Matches(/^\S+$/)
  readonly bootstrapToken?: string;

  @FromVariable({
    name: 'PHOTOSAFE_DATABASE_POOL',
    default: '10',
    allowed: 'a whole number from 1 to 200',
    meaning: 'The most database connections for requests. The task engine has a few more of its own.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(1)
  @Max(200)
  readonly databasePool: number;

  @FromVariable({
    name: 'PHOTOSAFE_STATEMENT_TIMEOUT_MS',
    default: '60000',
    allowed: 'a whole number of milliseconds from 0 to 86400000; 0 sets no limit',
    meaning: 'The database gives up on an ordinary statement after this long. Migrations have no limit.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(0)
  @Max(86_400_000)
  readonly statementTimeoutMs: number;

  /** No `url`: the embedded server in {@link dataDir}. */
  readonly database: DatabaseSettings;
}

/** Settings from these variables alone. Throws an AppError `bad_settings` that names every problem. */
export function settingsFrom(environment: Environment): Settings {
  return readEnvironment(Settings, environment);
}
