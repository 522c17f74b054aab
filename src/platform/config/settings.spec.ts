import { AppError } from '../errors/app-error.js';
import { settingsFrom, Settings } from './settings.js';
import { variablesOf } from './variable.js';

function problemsOf(environment: Record<string, string>): string[] {
  try {
    settingsFrom(environment);
    return [];
  } catch (error) {
    return error instanceof AppError ? error.fields.map((field) => field.path) : [String(error)];
  }
}

describe('the settings', () => {
  it('have a default for everything', () => {
    expect(settingsFrom({})).toMatchObject({
      role: 'all',
      host: '127.0.0.1',
      port: 3000,
      logLevel: 'info',
      bootstrapToken: undefined,
      workerConcurrency: { default: 8, images: 2 },
      thumbnailSizes: [256, 512],
      thumbnailQuality: 85,
      maxPixels: 268_402_689,
      dispatch: 'postgres',
      redisUrl: undefined,
      redisPrefix: 'photosafe',
      database: {},
    });
    expect(settingsFrom({}).dataDir).toMatch(/^\/.*\/var$/);
  });

  it('come from the environment, where an empty variable counts as missing', () => {
    const settings = settingsFrom({
      PHOTOSAFE_ROLE: 'Worker',
      PORT: ' 0 ',
      LOG_LEVEL: 'WARNING',
      PHOTOSAFE_DATA_DIR: '/data',
      PHOTOSAFE_WORKER_CONCURRENCY: '3, images=1, slow.things=0',
      PHOTOSAFE_THUMBNAIL_SIZES: '512, 64,512',
      PHOTOSAFE_THUMBNAIL_QUALITY: '',
    });
    expect(settings).toMatchObject({
      role: 'worker',
      port: 0,
      logLevel: 'warn',
      dataDir: '/data',
      workerConcurrency: { default: 3, images: 1, 'slow.things': 0 },
      thumbnailSizes: [64, 512],
      thumbnailQuality: 85,
    });
  });

  it('are refused with every problem named at once', () => {
    const environment = {
      PHOTOSAFE_ROLE: 'boss',
      HOST: 'not a host',
      PORT: '65536',
      PHOTOSAFE_PUBLIC_URL: 'ftp://x',
      LOG_LEVEL: 'loud',
      PHOTOSAFE_BOOTSTRAP_TOKEN: 'x'.repeat(31),
      PHOTOSAFE_THUMBNAIL_SIZES: '256,8',
      PHOTOSAFE_THUMBNAIL_QUALITY: '1e2',
      PHOTOSAFE_MAX_PIXELS: '0',
      PHOTOSAFE_WORKER_CONCURRENCY: 'images=two',
      PHOTOSAFE_DISPATCH: 'kafka',
      REDIS_URL: 'http://redis',
      PHOTOSAFE_REDIS_PREFIX: 'a:b',
      DATABASE_URL: 'mysql://server/db',
    };
    expect(problemsOf(environment)).toEqual(Object.keys(environment));
  });

  it('show wrong values, but never secrets', () => {
    const token = 'a-token-that-is-too-short';
    try {
      settingsFrom({ PHOTOSAFE_BOOTSTRAP_TOKEN: token, PORT: 'x1', DATABASE_URL: 'http://me:hunter2@server' });
      throw new Error('accepted');
    } catch (error) {
      expect(String(error)).toMatch(/PORT is "x1"; allowed: a whole number from 0 to 65535/);
      expect(String(error)).toMatch(/PHOTOSAFE_BOOTSTRAP_TOKEN is \(secret, 25 characters\)/);
      expect(JSON.stringify([error, (error as AppError).fields])).not.toMatch(/too-short|hunter2/);
    }
  });

  it.each(['', ' ', undefined])('say that what is needed is not set: %p', (REDIS_URL) => {
    expect(() => settingsFrom({ PHOTOSAFE_DISPATCH: 'redis', REDIS_URL })).toThrow(
      'REDIS_URL is needed, and not set; allowed: a redis:// or',
    );
  });

  it.each(['a', '=1', 'a=', 'a=1,a=2', 'a=1,,b=2', 'A=1', 'a=-1', 'a=1.5'])('refuse the concurrency %p', (text) => {
    expect(problemsOf({ PHOTOSAFE_WORKER_CONCURRENCY: text })).toEqual(['PHOTOSAFE_WORKER_CONCURRENCY']);
  });

  it('take what OpenTelemetry calls its own', () => {
    const settings = settingsFrom({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%2Cb, tenant=one',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    expect(settings).toMatchObject({
      otlpEndpoint: 'http://localhost:4318',
      otlpHeaders: { 'api-key': 'a,b', tenant: 'one' },
      otelTracesSampler: 'traceidratio',
      otelTracesSamplerArg: 0.25,
    });
    const wrong = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'ftp://collector/',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'key=%zz',
      OTEL_RESOURCE_ATTRIBUTES: '=value',
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_TRACES_SAMPLER_ARG: '1.5',
      OTEL_SDK_DISABLED: 'no',
    };
    expect(problemsOf(wrong)).toEqual(Object.keys(wrong));
  });

  it('want to know where Redis is when it carries the tasks', () => {
    expect(problemsOf({ PHOTOSAFE_DISPATCH: 'redis' })).toEqual(['REDIS_URL']);
    const REDIS_URL = 'rediss://me:pass%20word@redis.internal:6380/3';
    expect(settingsFrom({ PHOTOSAFE_DISPATCH: 'Redis', REDIS_URL })).toMatchObject({
      dispatch: 'redis',
      redisUrl: REDIS_URL,
    });
    expect(problemsOf({ REDIS_URL: 'redis://127.0.0.1:1/0' })).toEqual([]);
    expect(problemsOf({ REDIS_URL: 'redis://:secret@localhost' })).toEqual([]);
  });

  it('cannot be changed', () => {
    expect(() => Object.assign(settingsFrom({}), { port: 1 })).toThrow(TypeError);
  });

  it('bind each variable to one field', () => {
    const names = variablesOf(Settings).map((variable) => variable.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
