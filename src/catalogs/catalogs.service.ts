import { Injectable } from '@nestjs/common';
import { basename, isAbsolute, resolve } from 'node:path';
import { v7 as uuidv7, validate as isUuid } from 'uuid';
import { CatalogImagesService, RootsService } from '../images/index.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { sqlState } from '../platform/database/sql-state.js';
import { AppError, conflict, invalid, notFound } from '../platform/errors/app-error.js';
import type { Catalog, CatalogView } from './catalog.js';
import { CatalogsRepository } from './catalogs.repository.js';

/** Names that `import` makes up: `photos`, `photos (2)`, … */
const NAME_ATTEMPTS = 100;

@Injectable()
export class CatalogsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly catalogs: CatalogsRepository,
    private readonly roots: RootsService,
    private readonly images: CatalogImagesService,
  ) {}

  /** @throws invalid `unusable_roots`, conflict `catalog_name_taken`. */
  async create({ name, roots }: { readonly name: string; readonly roots: readonly string[] }): Promise<CatalogView> {
    const paths = await this.roots.checkFolders(roots);
    const now = this.clock.now();
    const catalog: Catalog = { id: uuidv7(), name, createdAt: now, updatedAt: now };
    await refusingTakenName(name, () =>
      this.database.transaction(async (tx) => {
        await this.catalogs.insert(tx.manager, catalog);
        await this.roots.replaceRoots(tx, catalog.id, paths);
      }),
    );
    return this.get(catalog.id);
  }

  /** @throws not-found `catalog_not_found`. */
  async get(id: string): Promise<CatalogView> {
    const catalog = await this.catalogs.findById(this.manager, id);
    if (catalog === undefined) throw noCatalog(id);
    const [view] = await this.withRoots([catalog]);
    return view ?? { ...catalog, roots: [], images: { active: 0, pending: 0, missing: 0, offline: 0 } };
  }

  /** Oldest first; `after` is the id of the last one of the page before. */
  async list(page: { readonly limit: number; readonly after?: string }): Promise<CatalogView[]> {
    return this.withRoots(await this.catalogs.list(this.manager, page));
  }

  /**
   * Names it anew, or gives it other folders; see RootsService.replaceRoots for what becomes of its images.
   * @throws not-found `catalog_not_found`, invalid `unusable_roots`, conflict `catalog_name_taken`.
   */
  async update(
    id: string,
    changes: { readonly name?: string; readonly roots?: readonly string[] },
  ): Promise<CatalogView> {
    const { name, roots } = changes;
    const paths = roots && (await this.roots.checkFolders(roots));
    await refusingTakenName(name ?? '', () =>
      this.database.transaction(async (tx) => {
        const updatedAt = this.clock.now();
        const found = await this.catalogs.update(
          tx.manager,
          id,
          name === undefined ? { updatedAt } : { name, updatedAt },
        );
        if (!found) throw noCatalog(id);
        if (paths) await this.roots.replaceRoots(tx, id, paths);
      }),
    );
    return this.get(id);
  }

  /** Forgets the catalogue and all that is known of its images; originals stay as they are. */
  async remove(id: string): Promise<void> {
    await this.get(id);
    await this.images.forgetAll(id);
    await this.catalogs.delete(this.manager, id);
  }

  /**
   * The catalogue that work is asked for.
   * @throws not-found `catalog_not_found`; invalid `catalog_id_needed` when none is named and there is not exactly one.
   */
  async chosen(id: string | undefined): Promise<CatalogView> {
    const chosen = id ?? (await this.roots.onlyCatalogId());
    if (chosen !== undefined) return this.get(chosen);
    const [first] = await this.list({ limit: 1 });
    const message = first === undefined ? 'there is no catalogue yet' : 'there is more than one catalogue: say which';
    throw invalid('catalog_id_needed', message, {
      fields: [{ path: 'catalog_id', message: 'is missing', allowed: 'the id of a catalogue' }],
    });
  }

  /** By id, name or one of its folders. @throws not-found `catalog_not_found`. */
  async resolve(handle: string): Promise<CatalogView> {
    const found = await this.find(handle);
    if (found === undefined) throw noCatalog(handle);
    return found;
  }

  /** Like {@link resolve}; a folder that is no catalogue yet becomes one. */
  async resolveOrMake(handle: string): Promise<{ readonly catalog: CatalogView; readonly created: boolean }> {
    const catalog = await this.find(handle);
    if (catalog !== undefined) return { catalog, created: false };
    return this.ofFolder(handle).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'unusable_roots') throw error;
      throw notFound('catalog_not_found', `there is no catalogue ${handle}, and ${error.message}`, { cause: error });
    });
  }

  /** The catalogue of a folder; when there is none yet, one is made. @throws invalid `unusable_roots`, conflict `catalog_name_taken`. */
  async ofFolder(folder: string, name?: string): Promise<{ readonly catalog: CatalogView; readonly created: boolean }> {
    const [path = folder] = await this.roots.checkFolders([resolve(folder)]);
    const known = await this.findByRoot(path);
    if (known !== undefined) return { catalog: known, created: false };
    return {
      catalog: await this.create({ name: name ?? (await this.freeName(basename(path))), roots: [path] }),
      created: true,
    };
  }

  private async find(handle: string): Promise<CatalogView | undefined> {
    const byId = isUuid(handle) ? await this.catalogs.findById(this.manager, handle) : undefined;
    const catalog = byId ?? (await this.catalogs.findByName(this.manager, handle));
    if (catalog !== undefined) return this.get(catalog.id);
    return this.findByRoot(isAbsolute(handle) ? handle : resolve(handle));
  }

  private async findByRoot(path: string): Promise<CatalogView | undefined> {
    const id = await this.roots.catalogOfRoot(path);
    return id === undefined ? undefined : this.get(id);
  }

  private async freeName(name: string): Promise<string> {
    for (let number = 1; number <= NAME_ATTEMPTS; number += 1) {
      const candidate = number === 1 ? name : `${name} (${number})`;
      if ((await this.catalogs.findByName(this.manager, candidate)) === undefined) return candidate;
    }
    throw conflict('catalog_name_taken', `there are catalogues named ${name} already: give another name`);
  }

  private async withRoots(catalogs: readonly Catalog[]): Promise<CatalogView[]> {
    const ids = catalogs.map(({ id }) => id);
    const [roots, counts] = await Promise.all([this.roots.rootsByCatalog(ids), this.images.countByState(ids)]);
    return catalogs.map((catalog) => ({
      ...catalog,
      roots: roots.get(catalog.id) ?? [],
      images: counts.get(catalog.id) ?? { active: 0, pending: 0, missing: 0, offline: 0 },
    }));
  }

  private get manager() {
    return this.database.dataSource.manager;
  }
}

const noCatalog = (handle: string): Error => notFound('catalog_not_found', `there is no catalogue ${handle}`);

const UNIQUE_VIOLATION = '23505';

async function refusingTakenName(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    throw conflict('catalog_name_taken', `there is a catalogue named ${name} already`, { cause: error });
  }
}
