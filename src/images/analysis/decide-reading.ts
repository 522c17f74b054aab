import type { ImageState } from '../scan/compare-folder.js';

/** The row of a file that was read, as it was before. */
export interface DueImage {
  readonly id: string;
  readonly state: ImageState;
  readonly checksum: Buffer | null;
}

/**
 * What a reading is to its image: `same` content as before; the `first` of an image; or `other` content at its path,
 * which only the end of the analysis can tell to be an edit, another image moved here, or a new one.
 */
export type Verdict = 'same' | 'first' | 'other';

/** An image that is still pending is not settled: what was read of it before does not bind. */
export function verdictOn(image: DueImage, checksum: Buffer): Verdict {
  if (image.checksum === null || image.state === 'pending') return 'first';
  return image.checksum.equals(checksum) ? 'same' : 'other';
}

/** The change that a reading makes known, if any, and the state that the image is in after it. */
export function outcomeOf(
  image: DueImage,
  verdict: 'same' | 'first',
  mayHaveMovedHere: boolean,
): { readonly state: ImageState; readonly change: 'new' | 'restored' | null } {
  if (verdict === 'first') {
    if (mayHaveMovedHere) return { state: 'pending', change: null };
    return { state: 'active', change: image.checksum === null && image.state === 'active' ? null : 'new' };
  }
  return image.state === 'missing' ? { state: 'active', change: 'restored' } : { state: image.state, change: null };
}
