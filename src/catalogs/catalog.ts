import type { ImageCounts, Root } from '../images/index.js';

/** A named library of photos under one or more folders. */
export interface Catalog {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A catalogue with what belongs to it. */
export interface CatalogView extends Catalog {
  /** Ordered by path. */
  readonly roots: readonly Root[];
  readonly images: ImageCounts;
}
