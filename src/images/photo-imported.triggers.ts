import { on } from '../tasks/index.js';
import { photoImported } from './photo-imported.js';
import { inBatches } from './tasks/batches.js';
import { thumbnailsBatch } from './tasks/thumbnails-batch.task.js';

/** As the thumbnails task has it: some seconds of work each. */
const IMAGES_A_BATCH = 50;

/**
 * Thumbnails as soon as photos are known, without waiting for a rebuild. Batches, instead of the catalogue's `thumbnails`
 * task: of that there is one at a time, and what is imported after it has looked would have to wait for the next.
 */
export const renderImportedPhotos = on(
  photoImported,
  'render imported photos',
  async ({ catalogId, imageIds }, { settings, enqueueMany }) => {
    if (!settings.thumbnailsOnImport) return;
    const { thumbnailSizes, thumbnailQuality: quality } = settings;
    const batches = inBatches(imageIds, IMAGES_A_BATCH).map((ids) => ({
      ...{ catalog_id: catalogId, image_ids: ids, sizes: [...thumbnailSizes] },
      ...{ quality, force: false },
    }));
    await enqueueMany(thumbnailsBatch, batches);
  },
);
