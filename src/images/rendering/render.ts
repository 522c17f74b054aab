import { decodePhoto } from './decode-photo.js';
import { OpenPhoto } from './open-photo.js';
import { decoderCrashed, nothingRendered, Undecodable } from './problems.js';
import { encodeRenditions } from './raster/encode.js';
import { liesOnItsSide, turnUpright } from './raster/turn.js';
import type { RenderOutcome, RenderRequest } from './render-request.js';
import { isSystemError } from './structure.js';

/** One photo's renditions from one decode. Runs in a process of its own. Throws the system's error when reading fails. */
export async function render(request: RenderRequest): Promise<RenderOutcome> {
  try {
    const photo = await OpenPhoto.open(request.path);
    try {
      return await renderOpen(photo, request);
    } finally {
      await photo.close();
    }
  } catch (error) {
    if (error instanceof Undecodable) return nothingRendered(error.problem);
    if (isSystemError(error)) throw error;
    // A bug of ours over bytes that nobody thought of ends this photo, not the batch that it is in.
    return nothingRendered(decoderCrashed(`The decoder failed over this picture: ${String(error)}`));
  }
}

async function renderOpen(photo: OpenPhoto, request: RenderRequest): Promise<RenderOutcome> {
  const { format, maxPixels, orientation, quality, sizes } = request;
  const longestEdge = Math.max(...sizes);
  const picture = await decodePhoto(photo, { format, maxPixels, orientation, longestEdge });
  const upright = await turnUpright(picture.pixels, picture.orientation);
  const { renditions, thumbhash } = await encodeRenditions(upright, sizes, quality);
  const isSideways = liesOnItsSide(picture.orientation);
  return {
    renditions,
    thumbhash,
    width: isSideways ? picture.height : picture.width,
    height: isSideways ? picture.width : picture.height,
    problems: picture.problems,
  };
}
