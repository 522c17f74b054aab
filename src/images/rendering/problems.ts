import type { PhotoProblem } from '../photo-facts.js';
import type { RenderOutcome } from './render-request.js';

const error =
  (code: string) =>
  (message: string): PhotoProblem => ({ severity: 'error', code, message });

export const emptyFile = error('empty_file');
export const notAnImage = error('not_an_image');
export const unreadable = error('unreadable');
export const truncated = error('truncated');
export const corrupt = error('corrupt');
export const tooManyPixels = error('too_many_pixels');
export const unsupportedFormat = error('unsupported_format');
export const decoderCrashed = error('decoder_crashed');
export const decodeTimeout = error('decode_timeout');

export const previewOnly = (message: string): PhotoProblem => ({ severity: 'warning', code: 'preview_only', message });

/** Ends the decoding of a file that gives no picture. */
export class Undecodable extends Error {
  constructor(readonly problem: PhotoProblem) {
    super(problem.message);
    this.name = 'Undecodable';
  }
}

export function nothingRendered(problem: PhotoProblem): RenderOutcome {
  return { renditions: [], thumbhash: undefined, width: 0, height: 0, problems: [problem] };
}
