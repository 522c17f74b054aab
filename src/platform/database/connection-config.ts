import type { ClientConfig } from 'pg';

export interface ConnectionOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Server settings of the session, such as { statement_timeout: '0' }. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * How long to wait for a connection. Smaller fails on a busy machine that would have answered, larger keeps callers of
 * an unreachable server waiting.
 */
const CONNECT_TIMEOUT_MS = 10_000;

/** What node-postgres needs to connect. What a URL says otherwise wins over options, so it is merged here first. */
export function connectionConfig(url: string, options: ConnectionOptions): ClientConfig {
  const cleaned = new URL(url);
  const settings = Object.entries(options.settings ?? {}).map(([name, value]) => `-c ${name}=${escape(value)}`);
  const merged = [cleaned.searchParams.get('options'), ...settings].filter(Boolean).join(' ');
  cleaned.searchParams.delete('options');
  cleaned.searchParams.delete('application_name');
  return {
    connectionString: cleaned.href,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(merged === '' ? {} : { options: merged }),
  };
}

/** The URL without its password, for messages. */
export function shownUrl(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}

const escape = (value: string): string => value.replace(/[\\ ]/g, '\\$&');
