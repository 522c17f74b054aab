import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThan, Raw } from 'typeorm';
import { CatalogEntity } from './catalog.entity.js';
import type { Catalog } from './catalog.js';

/** Rows of `catalogs`. Times are the caller's, so that a test can set them. */
@Injectable()
export class CatalogsRepository {
  /** Refused by the unique index catalogs_name when another catalogue has the name, in whatever letter case. */
  async insert(manager: EntityManager, catalog: Catalog): Promise<void> {
    await manager.insert(CatalogEntity, catalog);
  }

  async findById(manager: EntityManager, id: string): Promise<Catalog | undefined> {
    return (await manager.findOneBy(CatalogEntity, { id })) ?? undefined;
  }

  /** In any letter case. */
  async findByName(manager: EntityManager, name: string): Promise<Catalog | undefined> {
    const sameName = Raw((column) => `lower(${column}) = lower(:name)`, { name });
    return (await manager.findOneBy(CatalogEntity, { name: sameName })) ?? undefined;
  }

  /** Oldest first (ids are UUID v7); `after` is the id of the last catalogue of the page before. */
  list(manager: EntityManager, page: { readonly limit: number; readonly after?: string }): Promise<Catalog[]> {
    return manager.find(CatalogEntity, {
      where: page.after === undefined ? {} : { id: MoreThan(page.after) },
      order: { id: 'ASC' },
      take: page.limit,
    });
  }

  /** False when there is no such catalogue. */
  async update(
    manager: EntityManager,
    id: string,
    changes: { readonly name?: string; readonly updatedAt: Date },
  ): Promise<boolean> {
    const { affected } = await manager.update(CatalogEntity, { id }, changes);
    return affected === 1;
  }

  async delete(manager: EntityManager, id: string): Promise<boolean> {
    return (await manager.delete(CatalogEntity, { id })).affected === 1;
  }
}
