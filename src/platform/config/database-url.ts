import type { FieldError } from '../errors/app-error.js';
import type { VariableOptions } from './variable.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the database is; without a URL PhotoSafe runs its own. */
export interface DatabaseSettings {
  readonly url?: string;
}

const URL_ALLOWED = 'postgres://user:password@host:port/database, optionally with ?sslmode=…';

/** In order of precedence: the first that is set wins, and the POSTGRES_ ones count as one. */
export const DATABASE_VARIABLES: readonly VariableOptions[] = [
  {
    name: 'DATABASE_URL',
    allowed: URL_ALLOWED,
    meaning: 'The PostgreSQL server to use. Without this, PG_DSN and POSTGRES_… PhotoSafe runs a server of its own.',
    secret: true,
  },
  {
    name: 'PG_DSN',
    allowed: `${URL_ALLOWED}; also postgresql+psycopg2:// and the like, and host=… dbname=… pairs`,
    meaning: 'The same in the forms that Python programs use. Used when DATABASE_URL is not set.',
    secret: true,
  },
  {
    name: 'POSTGRES_HOST',
    default: 'localhost',
    allowed: 'a host name, an address, or the folder of a socket',
    meaning: 'The server in parts. Any of the five is enough, when neither DATABASE_URL nor PG_DSN is set.',
  },
  { name: 'POSTGRES_PORT', default: '5432', allowed: 'a whole number from 1 to 65535', meaning: 'See POSTGRES_HOST.' },
  { name: 'POSTGRES_DB', default: 'photosafe', allowed: 'a database name', meaning: 'See POSTGRES_HOST.' },
  { name: 'POSTGRES_USER', default: 'photosafe', allowed: 'a role name', meaning: 'See POSTGRES_HOST.' },
  { name: 'POSTGRES_PASSWORD', allowed: 'any text', meaning: 'See POSTGRES_HOST.', secret: true },
];

/** What the environment says about the database, as one URL that node-postgres understands. */
export function databaseFrom(environment: Environment): { settings: DatabaseSettings; problems: FieldError[] } {
  const found = (name: string): string | undefined =>
    environment[name]?.trim() === '' ? undefined : environment[name]?.trim();
  if (found('DATABASE_URL')) return checked('DATABASE_URL', normaliseUrl(found('DATABASE_URL') ?? ''));
  if (found('PG_DSN')) return checked('PG_DSN', normaliseDsn(found('PG_DSN') ?? ''));
  const inParts = DATABASE_VARIABLES.filter(({ name }) => name.startsWith('POSTGRES_'));
  if (!inParts.some(({ name }) => found(name))) return { settings: {}, problems: [] };
  const parts = {
    host: found('POSTGRES_HOST') ?? 'localhost',
    port: found('POSTGRES_PORT'),
    dbname: found('POSTGRES_DB'),
    user: found('POSTGRES_USER'),
    password: environment.POSTGRES_PASSWORD,
  };
  if (!isPort(parts.port ?? '5432')) return refused('POSTGRES_PORT', parts.port ?? '');
  return checked('POSTGRES_HOST', urlFromParts(parts));
}

function checked(name: string, url: string | undefined): { settings: DatabaseSettings; problems: FieldError[] } {
  return url === undefined ? refused(name) : { settings: { url }, problems: [] };
}

/** `value` is left out where it may hold a password. */
function refused(name: string, value?: string): { settings: DatabaseSettings; problems: FieldError[] } {
  const allowed = DATABASE_VARIABLES.find((variable) => variable.name === name)?.allowed ?? '';
  return { settings: {}, problems: [{ path: name, message: `cannot be read; allowed: ${allowed}`, value, allowed }] };
}

function normaliseUrl(text: string): string | undefined {
  // A host given only as ?host=/folder leaves the place of the host empty, which URL refuses.
  const filled = text
    .replace(/^postgresql:/i, 'postgres:')
    .replace(/^(postgres:\/\/([^/@?]*@)?)(?=[/?]|$)/i, '$1localhost');
  if (!URL.canParse(filled)) return undefined;
  const url = new URL(filled);
  if (url.protocol !== 'postgres:' || url.hostname === '') return undefined;
  return url.pathname.length > 1 ? url.href : undefined;
}

function normaliseDsn(text: string): string | undefined {
  if (!/^postgres(ql)?(\+\w+)?:/i.test(text)) return text.includes('://') ? undefined : urlFromKeywords(text);
  const href = normaliseUrl(text.replace(/^postgres(ql)?(\+\w+)?:/i, 'postgres:'));
  if (href === undefined) return undefined;
  const url = new URL(href);
  adoptSslMode(url, url.searchParams.get('sslmode') ?? url.searchParams.get('ssl'));
  return url.href;
}

/**
 * libpq and its Python relatives read `require` as "encrypt" and `prefer` as "encrypt if you like"; node-postgres reads
 * both as "encrypt and verify" unless it is told otherwise.
 */
function adoptSslMode(url: URL, mode: string | null): void {
  url.searchParams.delete('ssl');
  url.searchParams.delete('sslmode');
  if (mode === null || ['prefer', 'allow', 'disable', 'false'].includes(mode)) return;
  url.searchParams.set('sslmode', mode === 'true' ? 'require' : mode);
  url.searchParams.set('uselibpqcompat', 'true');
}

/** libpq's `host=… port=… dbname='with spaces' …`, see "Keyword/Value Connection Strings" in PostgreSQL's manual. */
function urlFromKeywords(text: string): string | undefined {
  const pair = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/y;
  const parts: Record<string, string> = {};
  while (pair.lastIndex < text.trimEnd().length) {
    const match = pair.exec(text);
    if (!match) return undefined;
    parts[match[1] ?? ''] = (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1');
  }
  if (!parts.host && !parts.hostaddr) return undefined;
  return urlFromParts({ ...parts, host: parts.hostaddr ?? parts.host });
}

function urlFromParts(parts: Record<string, string | undefined>): string | undefined {
  const { host = '', port = '5432', dbname, user = 'photosafe', password, sslmode } = parts;
  if (!isPort(port)) return undefined;
  const inFolder = host.startsWith('/');
  const address = inFolder ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const credentials = [user, ...(password ? [password] : [])].map(encodeURIComponent).join(':');
  const text = `postgres://${credentials}@${address}:${port}/`;
  if (!URL.canParse(text)) return undefined;
  const full = new URL(text);
  full.pathname = `/${encodeURIComponent(dbname ?? 'photosafe')}`;
  if (inFolder) full.searchParams.set('host', host);
  adoptSslMode(full, sslmode ?? null);
  return full.href;
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
