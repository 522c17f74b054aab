import type { PhotoProblem } from '../photo-facts.js';

export interface RenderRequest {
  /** Absolute; the one file that is opened. */
  readonly path: string;
  /** As the metadata reader found it; tells RAW files that are TIFF files from plain ones. */
  readonly format: string;
  /** 1–8, as the metadata reader found it. Left out, or anything else: what the picture itself says. */
  readonly orientation?: number;
  /** Longest side of each rendition in pixels; all different. Nothing is ever enlarged. */
  readonly sizes: readonly number[];
  /** JPEG quality, 1–100. */
  readonly quality: number;
  /** Pictures of more pixels are refused before they are decoded. */
  readonly maxPixels: number;
}

/** An upright sRGB picture without metadata; transparency has become white. */
export interface Rendition {
  /** The size that was asked for; a smaller photo keeps its own. */
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly mimeType: string;
  readonly bytes: Buffer;
}

/** There are no renditions if, and only if, a problem of severity `error` says why. */
export interface RenderOutcome {
  /** In the order of the sizes asked for. */
  readonly renditions: readonly Rendition[];
  /** https://evanw.github.io/thumbhash/, about 25 bytes. */
  readonly thumbhash: Buffer | undefined;
  /** Pixels of the upright picture that was decoded (of an embedded preview: the preview's); 0 when there was none. */
  readonly width: number;
  readonly height: number;
  readonly problems: readonly PhotoProblem[];
}
