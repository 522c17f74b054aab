import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { COUNT_BY_STATE, FORGET_IMAGES } from './catalog-images.sql.js';
import type { ImageCounts } from './image-counts.js';

/** One statement's share of a large catalogue: well below the statement timeout. */
const IMAGES_A_STATEMENT = 2_000;
const NONE: ImageCounts = { active: 0, pending: 0, missing: 0, offline: 0 };

/** The images of a catalogue as a whole. */
@Injectable()
export class CatalogImagesService {
  constructor(private readonly database: Database) {}

  /** For each of the catalogues. */
  async countByState(catalogIds: readonly string[]): Promise<ReadonlyMap<string, ImageCounts>> {
    const rows = await this.database.query<{ catalog_id: string; state: keyof ImageCounts; count: number }>(
      COUNT_BY_STATE,
      [catalogIds],
    );
    const counts = new Map(catalogIds.map((id) => [id, NONE]));
    for (const row of rows) {
      counts.set(row.catalog_id, { ...(counts.get(row.catalog_id) ?? NONE), [row.state]: row.count });
    }
    return counts;
  }

  /**
   * Forgets all that is known of a catalogue's images; originals stay as they are. Commits page by page: interrupted, it
   * is repeated. The files of their thumbnails go with the next sweep (`sweep_blobs`).
   */
  async forgetAll(catalogId: string): Promise<void> {
    for (let forgotten = 1; forgotten > 0;) {
      forgotten = (await this.database.query(FORGET_IMAGES, [catalogId, IMAGES_A_STATEMENT])).length;
    }
  }
}
