const MEGABYTE = 1024 * 1024;

/**
 * Enough for 200 megapixels of interlaced PNG (0.8 GB) and 50 megapixels of HEIC (1 GB). More: a bomb takes more of the
 * machine before it is stopped. Less: large panoramas end as `decoder_crashed`.
 */
const MOST_BYTES = 2_048 * MEGABYTE;
/** A photo of 12 megapixels takes up to 360 MB (HEIC). With less than this, ordinary photos fail. */
const LEAST_BYTES = 640 * MEGABYTE;

/** The memory that one decoder may take, so that all of them at their limit leave half of the machine's to others. */
export function decoderMemoryLimit(machineBytes: number, decoders: number): number {
  return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, machineBytes / 2 / decoders));
}
