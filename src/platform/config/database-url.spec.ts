import { databaseFrom } from './database-url.js';

const urlOf = (environment: Record<string, string>): string | undefined => databaseFrom(environment).settings.url;
const refused = (environment: Record<string, string>): string[] =>
  databaseFrom(environment).problems.map((p) => p.path);

describe('the database of the environment', () => {
  it('is the embedded one when nothing is set', () => {
    expect(databaseFrom({ DATABASE_URL: '', POSTGRES_DB: ' ' })).toEqual({ settings: {}, problems: [] });
  });

  it('is the first that is set', () => {
    const all = { DATABASE_URL: 'postgres://a/one', PG_DSN: 'postgres://b/two', POSTGRES_HOST: 'c' };
    expect(urlOf(all)).toBe('postgres://a/one');
    expect(urlOf({ ...all, DATABASE_URL: '' })).toBe('postgres://b/two');
    expect(urlOf({ POSTGRES_HOST: 'c' })).toBe('postgres://photosafe@c:5432/photosafe');
    expect(urlOf({ POSTGRES_DB: 'd', POSTGRES_USER: 'u' })).toBe('postgres://u@localhost:5432/d');
  });

  it.each([
    ['postgresql://u:p%40ss@h:1/db?sslmode=require', 'postgres://u:p%40ss@h:1/db?sslmode=require'],
    ['postgres://u:p@/db?host=/run/postgresql', 'postgres://u:p@localhost/db?host=/run/postgresql'],
    ['postgres:///db?host=/run', 'postgres://localhost/db?host=/run'],
  ])('takes DATABASE_URL %s', (text, url) => {
    expect(urlOf({ DATABASE_URL: text })).toBe(url);
  });

  it.each([
    ['postgresql+psycopg2://u:p@h/db', 'postgres://u:p@h/db'],
    ['postgresql+asyncpg://u:p@h/db?ssl=true', 'postgres://u:p@h/db?sslmode=require&uselibpqcompat=true'],
    ['postgres://u@h/db?sslmode=prefer', 'postgres://u@h/db'],
    ['host=h port=6 dbname=d user=u password=p', 'postgres://u:p@h:6/d'],
    [`dbname='a b' host=/run user='it\\'s me' password=`, `postgres://it's%20me@localhost:5432/a%20b?host=%2Frun`],
    [
      'host=::1 dbname=d sslmode=verify-full',
      'postgres://photosafe@[::1]:5432/d?sslmode=verify-full&uselibpqcompat=true',
    ],
  ])('takes PG_DSN %s', (text, url) => {
    expect(urlOf({ PG_DSN: text })).toBe(url);
  });

  it('takes any password in POSTGRES_PASSWORD', () => {
    const password = ` p@ss:/?#%[]'"é`;
    const url = urlOf({ POSTGRES_HOST: 'h', POSTGRES_PASSWORD: password });
    expect(decodeURIComponent(new URL(url ?? '').password)).toBe(password);
  });

  it.each([
    [{ DATABASE_URL: 'mysql://u@h/db' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://u@h' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'h/db' }, 'DATABASE_URL'],
    [{ PG_DSN: 'sqlite:///x' }, 'PG_DSN'],
    [{ PG_DSN: 'dbname=x' }, 'PG_DSN'],
    [{ PG_DSN: "host='h dbname=x" }, 'PG_DSN'],
    [{ POSTGRES_HOST: 'a host' }, 'POSTGRES_HOST'],
    [{ POSTGRES_HOST: 'h', POSTGRES_PORT: '0' }, 'POSTGRES_PORT'],
  ])('refuses %p', (environment, name) => {
    expect(refused(environment as unknown as Record<string, string>)).toEqual([name]);
  });
});
