import type { PhotoProblem } from '../photo-facts.js';
import type { IptcRecord } from './iptc.js';
import type { ExifTags } from './tiff/exif-tags.js';
import type { XmpProperties } from './xmp/xmp-packet.js';

/**
 * What a container holds, gathered while it is walked: the walk may be cut short by damage, and what it found until
 * then counts. All buffers are bounded by their finders.
 */
export interface EmbeddedMetadata {
  width: number | undefined;
  height: number | undefined;
  /** Orientation 1–8 that the container itself states (HEIF item properties), apart from EXIF's. */
  containerOrientation: number | undefined;
  exif: ExifTags | undefined;
  /** XMP packets, best first. */
  readonly xmpPackets: Buffer[];
  /** IPTC-IIM records. */
  iptc: Buffer | undefined;
  /** Texts that belong to no standard: PNG keywords, comments, header fields of old RAW formats. */
  readonly texts: Map<string, string>;
  readonly problems: PhotoProblem[];
}

/** The same, decoded: what the rules of precedence choose from. */
export interface MetadataSources {
  readonly exif: ExifTags | undefined;
  readonly xmp: XmpProperties;
  readonly iptc: IptcRecord;
  readonly texts: ReadonlyMap<string, string>;
}

export function nothingFound(): EmbeddedMetadata {
  return {
    width: undefined,
    height: undefined,
    containerOrientation: undefined,
    exif: undefined,
    xmpPackets: [],
    iptc: undefined,
    texts: new Map(),
    problems: [],
  };
}

/** A packet beyond this is no human's metadata (depth maps, edit histories) and would cost seconds to parse. */
export const MAX_XMP_BYTES = 1024 * 1024;
export const MAX_IPTC_BYTES = 256 * 1024;
/** EXIF with its thumbnail and maker notes; APP1 alone cannot pass 64 KB, other containers can. */
export const MAX_EXIF_BYTES = 4 * 1024 * 1024;

/** Files have one packet, sometimes two; more are a way to make us work. */
const MAX_XMP_PACKETS = 6;

export function addXmpPacket(found: EmbeddedMetadata, packet: Buffer): void {
  const isWorthwhile = packet.length > 0 && packet.length <= MAX_XMP_BYTES;
  if (isWorthwhile && found.xmpPackets.length < MAX_XMP_PACKETS) found.xmpPackets.push(packet);
}

export function setSize(found: EmbeddedMetadata, width: number | undefined, height: number | undefined): void {
  if (!isLength(width) || !isLength(height)) return;
  found.width = width;
  found.height = height;
}

/** Damaged headers claim zero, or billions that no column of ours holds. */
const isLength = (pixels: number | undefined): pixels is number =>
  pixels !== undefined && pixels > 0 && pixels < 2 ** 31;

export const corrupt = (message: string): PhotoProblem => ({ severity: 'error', code: 'corrupt', message });
export const truncated = (message: string): PhotoProblem => ({ severity: 'error', code: 'truncated', message });
export const badMetadata = (message: string): PhotoProblem => ({ severity: 'warning', code: 'bad_metadata', message });
