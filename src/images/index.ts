/**
 * Photos as files and as images.
 *
 * - **image**: an identity in a catalogue: its id outlives moves, renames and edits of its file.
 * - **root**: a folder whose photos a catalogue watches. **Offline**: the root is not there, and with it none of its photos
 *   counts as deleted.
 * - **due**: new, changed, or read by an older version of the analysis: its file is to be read.
 * - **rendition**: a thumbnail of one size; made of one content, and stale once the image has another.
 * - **problem**: something wrong with one file, by code; an error makes it a failure of its phase, a warning does not.
 */
export { CatalogImagesService } from './catalog-images.service.js';
export { CoverageService, type FailureCount, type KindCoverage } from './coverage.service.js';
export type { ImageCounts } from './image-counts.js';
export { ImagesModule } from './images.module.js';
export type { Root } from './roots/root.js';
export { RootsService } from './roots/roots.service.js';
export { analyze } from './tasks/analyze.task.js';
export { sweepBlobs } from './tasks/sweep-blobs.task.js';
export { thumbnails } from './tasks/thumbnails.task.js';
