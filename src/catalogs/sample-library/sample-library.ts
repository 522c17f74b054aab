/** Libraries of drawn photos: one to try everything out with, and ones of any size to measure with. */
export { generatePlainPhotos } from './generate-plain-photos.js';
export { generateSampleLibrary, type SampleLibrary } from './generate-sample-library.js';
export type { SampleFileKind } from './sample-file.js';
