import type { TiffField } from './tiff-field.js';
import { EMPTY_IFD, TiffReader, type Ifd } from './tiff-reader.js';

/** Apple's note: `Apple iOS\0`, two bytes of version, `MM`, then one big-endian IFD with offsets from the note's start. */
const SIGNATURE = 'Apple iOS\0';
const IFD_OFFSET = 14;
const MAX_NOTE_BYTES = 256 * 1024;

export const APPLE_TAG = {
  /** The same in all frames of a burst. */
  BurstUUID: 0x000b,
  /** The same in a live photo's picture and film. */
  ContentIdentifier: 0x0011,
  ImageUniqueID: 0x0015,
} as const;

/** Empty for other makers' notes. */
export async function readAppleMakerNote(reader: TiffReader, note: TiffField | undefined): Promise<Ifd> {
  if (note === undefined || note.sizeBytes < IFD_OFFSET || note.sizeBytes > MAX_NOTE_BYTES) return EMPTY_IFD;
  const start = await reader.source.read(note.offset, IFD_OFFSET);
  if (start.toString('latin1', 0, SIGNATURE.length) !== SIGNATURE) return EMPTY_IFD;
  const littleEndian = start.toString('latin1', 12, 14) === 'II';
  return new TiffReader(reader.source.window(note.offset, note.sizeBytes), littleEndian, IFD_OFFSET).readIfd(
    IFD_OFFSET,
  );
}
