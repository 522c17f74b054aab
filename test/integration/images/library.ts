import 'reflect-metadata';
import { type INestApplicationContext, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { cp, mkdir, mkdtemp, realpath, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { CatalogsModule, CatalogsService } from '../../../src/catalogs/index.js';
import { analyze, thumbnails } from '../../../src/images/index.js';
import { ClockModule } from '../../../src/platform/clock/clock.module.js';
import { SettingsModule } from '../../../src/platform/config/settings.module.js';
import { settingsFrom } from '../../../src/platform/config/settings.js';
import { Database } from '../../../src/platform/database/database.js';
import { DatabaseModule } from '../../../src/platform/database/database.module.js';
import { MetricsModule } from '../../../src/platform/metrics/metrics.module.js';
import { TracingModule } from '../../../src/platform/tracing/tracing.module.js';
import { type AnyTaskDefinition, isFinished, type Task, TaskService, WorkerService } from '../../../src/tasks/index.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

/** A small picture; different seeds give different pictures. */
export async function aPicture(seed: number): Promise<Buffer> {
  const background = { r: (seed * 47) % 256, g: (seed * 101) % 256, b: (seed * 13 + 40) % 256 };
  const density = 72 + seed;
  return sharp({ create: { width: 40, height: 30, channels: 3, background } })
    .withMetadata({ density })
    .jpeg()
    .toBuffer();
}

export interface ImageRow {
  readonly id: string;
  readonly path: string;
  readonly state: string;
  readonly due: boolean;
  readonly last_change: string | null;
  readonly checksum: string | null;
  readonly problems: readonly string[];
  readonly sizes: readonly number[];
}

/** A folder of photos, a catalogue of it, and an engine that works on it. */
export class Library {
  static async open(environment: Record<string, string> = {}): Promise<Library> {
    const [database, home] = [
      await createTestDatabase(),
      await realpath(await mkdtemp(join(tmpdir(), 'photosafe-library-'))),
    ];
    const settings = settingsFrom({
      DATABASE_URL: database.url,
      PHOTOSAFE_DATA_DIR: join(home, 'data'),
      PHOTOSAFE_DECODER_PROCESSES: '1',
      ...environment,
    });
    @Module({
      imports: [
        SettingsModule.forRoot(settings),
        MetricsModule,
        TracingModule,
        ClockModule,
        DatabaseModule.forRoot(),
        CatalogsModule,
      ],
    })
    class LibraryModule {}
    const app = await NestFactory.createApplicationContext(LibraryModule as Type, {
      logger: false,
      abortOnError: false,
    });
    await app.get(WorkerService).start({ concurrency: { default: 4, images: 2 }, pollMs: 300, shutdownGraceMs: 200 });
    return new Library(app, home, database);
  }

  readonly database = this.app.get(Database);
  readonly tasks = this.app.get(TaskService);
  readonly catalogs = this.app.get(CatalogsService);
  private number = 0;

  private constructor(
    readonly app: INestApplicationContext,
    readonly home: string,
    private readonly testDatabase: TestDatabase,
  ) {}

  async close(): Promise<void> {
    await this.app.close();
    await this.testDatabase.drop();
    await rm(this.home, { recursive: true, force: true });
  }

  /** A folder with these files (path → content), and a catalogue of it. */
  async catalogOf(files: Readonly<Record<string, Buffer | string>>): Promise<TestCatalog> {
    const root = await this.folderOf(files);
    const { id } = await this.catalogs.create({ name: `catalogue of ${root}`, roots: [root] });
    return new TestCatalog(this, id, root);
  }

  async folderOf(files: Readonly<Record<string, Buffer | string>>): Promise<string> {
    const root = join(this.home, `photos-${(this.number += 1)}`);
    await mkdir(root);
    for (const [path, content] of Object.entries(files)) await writeInto(join(root, path), content);
    return root;
  }

  /** Runs a task to its end, which has to be a good one, and gives its result. */
  async run(task: AnyTaskDefinition, input: object): Promise<Record<string, unknown>> {
    const ended = await this.runToEnd(task, input);
    if (ended.status !== 'completed')
      throw new Error(`${task.name}: ${String(ended.errorCode)} ${String(ended.errorMessage)}`);
    return ended.result as Record<string, unknown>;
  }

  async runToEnd(task: AnyTaskDefinition, input: object): Promise<Task> {
    const { id } = await this.tasks.enqueue(task, input, { actor: 'test:someone' });
    const probe = async (): Promise<Task | undefined> => {
      const now = await this.tasks.get(id);
      return isFinished(now.status) ? now : undefined;
    };
    return waitFor(`${task.name} to end`, probe, { timeoutMs: 100_000 });
  }
}

/** One catalogue with one root of the test's own. */
export class TestCatalog {
  constructor(
    readonly library: Library,
    readonly id: string,
    readonly root: string,
  ) {}

  analyze(options: { readonly force?: boolean } = {}): Promise<Record<string, unknown>> {
    return this.library.run(analyze, { catalog_id: this.id, ...options });
  }

  thumbnails(options: object = {}): Promise<Record<string, unknown>> {
    return this.library.run(thumbnails, { catalog_id: this.id, ...options });
  }

  /** All images in path order, with the errors and warnings and the current thumbnails of each. */
  images(): Promise<ImageRow[]> {
    return this.library.database.query<ImageRow>(
      `SELECT i.id, i.path, i.state, i.due, i.last_change, encode(i.checksum, 'hex') AS checksum,
         ARRAY(SELECT p.code FROM image_problems p WHERE p.image_id = i.id ORDER BY p.code) AS problems,
         ARRAY(SELECT r.size FROM image_renditions r
           WHERE r.image_id = i.id AND r.source_checksum = i.checksum ORDER BY r.size) AS sizes
       FROM images i WHERE i.catalog_id = $1 ORDER BY i.path, i.state, i.id`,
      [this.id],
    );
  }

  /** Id of the image that is at each path. */
  async idsByPath(): Promise<Record<string, string>> {
    const images = await this.images();
    return Object.fromEntries(images.filter(({ state }) => state === 'active').map(({ path, id }) => [path, id]));
  }

  /** `path state` of all images. */
  async standing(): Promise<string[]> {
    return (await this.images()).map(({ path, state }) => `${path} ${state}`);
  }

  /** The version of every row that tells of images: changes when anything is written, even the same again. */
  async rowVersions(): Promise<string> {
    const [row] = await this.library.database.query<{ versions: string }>(
      `SELECT (SELECT string_agg(i.id || ':' || i.xmin, ',' ORDER BY i.id) FROM images i)
         || coalesce((SELECT string_agg(r.image_id::text || r.size || ':' || r.xmin, ',' ORDER BY r.image_id, r.size) FROM image_renditions r), '')
         || coalesce((SELECT string_agg(p.image_id::text || p.code || ':' || p.xmin, ',' ORDER BY p.image_id, p.code) FROM image_problems p), '')
         || (SELECT string_agg(c.id || ':' || c.xmin, ',' ORDER BY c.id) FROM catalog_roots c) AS versions`,
    );
    return row?.versions ?? '';
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  write(path: string, content: Buffer | string): Promise<void> {
    return writeInto(this.path(path), content);
  }

  async rename(from: string, to: string): Promise<void> {
    await mkdir(dirname(this.path(to)), { recursive: true });
    await rename(this.path(from), this.path(to));
  }

  /** As a backup tool copies: with its times. */
  copy(from: string, to: string): Promise<void> {
    return cp(this.path(from), this.path(to), { preserveTimestamps: true });
  }

  remove(path: string): Promise<void> {
    return rm(this.path(path), { recursive: true });
  }

  touch(path: string, at = new Date(2_000_000_000_000)): Promise<void> {
    return utimes(this.path(path), at, at);
  }
}

async function writeInto(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
