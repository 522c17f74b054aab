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

/**
 * How the server finds out that this machine is not there any more: it asks after 10 s of silence, three times, and waits 30 s
 * for what it sends to be received. By itself it takes two hours and a quarter, for which a session of a machine that is
 * gone keeps its locks and its place. Sockets of a folder have no use for these and ignore them. Smaller ends sessions over
 * a network that merely stutters.
 */
const SERVER_NOTICES = {
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '30000',
};

/** What node-postgres needs to connect. What a URL says otherwise wins over options, so it is merged here first. */
export function connectionConfig(url: string, options: ConnectionOptions): ClientConfig {
  const cleaned = new URL(url);
  const said = cleaned.searchParams.get('options') ?? [];
  const all = [assigned(SERVER_NOTICES), said, assigned(options.settings ?? {})].flat(); // the last word wins
  cleaned.searchParams.delete('options');
  cleaned.searchParams.delete('application_name');
  return {
    connectionString: cleaned.href,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: all.join(' '),
  };
}

/** The URL without its password, for messages. */
export function shownUrl(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}

const assigned = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries(settings).map(([name, value]) => `-c ${name}=${escape(value)}`);

const escape = (value: string): string => value.replace(/[\\ ]/g, '\\$&');
