import { extensionOf } from '../stored-path.js';

/** A file as its folder shows it. */
export interface ListedFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Microseconds since 1970: what the database keeps, and finer than any two saves. */
  readonly modifiedUs: bigint;
}

/** A photo with the sidecars that speak about it. */
export interface ListedPhoto extends ListedFile {
  /** Names in the same folder, the one that counts most first. */
  readonly sidecars: readonly string[];
  /** Changes whenever a sidecar comes, goes or is saved; empty without any. */
  readonly sidecarStamp: string;
}

/**
 * Gives each photo its XMP sidecars: `photo.jpg.xmp` before `photo.xmp`, whatever the letter case of the extension. The
 * second kind speaks for every photo of that stem (RAW and JPEG of one shot). Other kinds of sidecar hold edits, which
 * are not read.
 */
export function withSidecars(photos: readonly ListedFile[], sidecars: readonly ListedFile[]): ListedPhoto[] {
  const byStem = new Map<string, ListedFile[]>();
  for (const sidecar of sidecars) {
    if (extensionOf(sidecar.name) !== 'xmp') continue;
    const stem = sidecar.name.slice(0, -'.xmp'.length);
    byStem.set(stem, [...(byStem.get(stem) ?? []), sidecar]);
  }
  return photos.map((photo) => {
    const extension = extensionOf(photo.name);
    const stem = extension === '' ? photo.name : photo.name.slice(0, -extension.length - 1);
    const own = [...(byStem.get(photo.name) ?? []), ...(stem === photo.name ? [] : (byStem.get(stem) ?? []))];
    return { ...photo, sidecars: own.map(({ name }) => name), sidecarStamp: own.map(stampOf).join('|') };
  });
}

const stampOf = ({ name, sizeBytes, modifiedUs }: ListedFile): string => `${name}:${sizeBytes}:${modifiedUs}`;
