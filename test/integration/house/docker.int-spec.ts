import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { configurationMarkdown } from '../../../src/platform/config/configuration-markdown.js';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly restart: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const projectRoot = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** The environment variables that PhotoSafe reads. */
const settings = () => new Set([...configurationMarkdown().matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name));

describe('compose.yaml', () => {
  const text = read('docker/compose.yaml');
  const { services, volumes } = parse(text, { merge: true }) as Compose;
  const ours = Object.entries(services).filter(([name]) => name !== 'postgres');

  it('has PostgreSQL, an API and a worker, and restarts all of them', () => {
    expect(Object.entries(services).map(([name, { restart }]) => [name, restart])).toEqual([
      ['postgres', 'unless-stopped'],
      ['api', 'unless-stopped'],
      ['worker', 'unless-stopped'],
    ]);
  });

  it('starts PhotoSafe when PostgreSQL is healthy', () => {
    expect(services.postgres?.healthcheck?.test).toContain('CMD-SHELL');
    for (const [, service] of ours) {
      expect(service.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    }
  });

  it.each(ours)('lets %s read photos and write only its data', (_name, service) => {
    const photos = service.volumes.filter((volume) => volume.includes('/photos'));
    expect(photos).toEqual([expect.stringMatching(/:ro$/)]);
    expect({ readOnly: service.read_only, capabilities: service.cap_drop }).toEqual({
      readOnly: true,
      capabilities: ['ALL'],
    });
  });

  it('keeps data in volumes that it declares', () => {
    const used = Object.values(services).flatMap((service) =>
      service.volumes.map((volume) => volume.split(':')[0] ?? ''),
    );
    const named = used.filter((source) => /^\w+$/.test(source));
    expect([...new Set(named)].sort()).toEqual(Object.keys(volumes).sort());
  });

  it('holds no password, and publishes on loopback unless told otherwise', () => {
    const passwords = Object.values(services).map(({ environment }) => environment.POSTGRES_PASSWORD);
    expect(new Set(passwords)).toEqual(new Set(['${POSTGRES_PASSWORD:?see .env.example}']));
    expect(services.api?.ports).toEqual(['${PUBLISH:-127.0.0.1:3000}:3000']);
  });

  it('sets only variables that PhotoSafe reads', () => {
    const known = settings();
    const set = ours.flatMap(([, { environment }]) => Object.keys(environment));
    expect(set.filter((name) => !known.has(name))).toEqual([]);
  });

  it('and .env.example speak of the same variables', () => {
    const asked = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    const explained = [...read('docker/.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    expect([...new Set(asked)].sort()).toEqual(explained.sort());
  });
});

describe('the Dockerfile', () => {
  const lines = read('docker/Dockerfile').split('\n');
  const instructions = (name: string) => lines.filter((line) => line.startsWith(`${name} `));

  it('ends as an ordinary user with a health check and an exec-form entry point', () => {
    expect(instructions('USER')).toEqual(['USER node']);
    expect(instructions('HEALTHCHECK')).toEqual([expect.stringContaining('CMD ["node"')]);
    expect(instructions('ENTRYPOINT')).toEqual(['ENTRYPOINT ["node", "bin/photosafe.js"]']);
  });

  it('builds every stage on the same Node', () => {
    expect(new Set(instructions('FROM').map((line) => line.split(' ')[1]))).toEqual(new Set(['node:24-bookworm-slim']));
  });

  it('sets only variables that Node or PhotoSafe read', () => {
    const known = settings().add('NODE_ENV');
    const set = instructions('ENV').map((line) => line.split(/[ =]/)[1]);
    expect(set.filter((name) => !known.has(name))).toEqual([]);
  });

  it('copies nothing that .dockerignore keeps out', () => {
    const admitted = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    const copied = instructions('COPY').filter((line) => !line.includes('--from='));
    const sources = copied.flatMap((line) => line.split(' ').slice(1, -1)).map((path) => path.replace(/^\.\//, ''));
    expect([...new Set(sources)].sort()).toEqual(admitted.sort());
  });
});
