import { open } from 'node:fs/promises';
import type { PhotoProblem } from '../photo-facts.js';
import { badMetadata } from './embedded-metadata.js';
import { XmlError } from './xmp/parse-xml.js';
import { parseXmp, type XmpProperties, type XmpValue } from './xmp/xmp-packet.js';

/** Sidecars with a history of edits reach a megabyte; beyond this it is something else. */
const MAX_SIDECAR_BYTES = 4 * 1024 * 1024;

/** The properties of all sidecars together, the earlier file winning. What is wrong with them is a problem, not an error. */
export async function readSidecars(paths: readonly string[], problems: PhotoProblem[]): Promise<XmpProperties> {
  const properties = new Map<string, XmpValue>();
  for (const path of paths) {
    for (const [name, value] of await readSidecar(path, problems)) {
      if (!properties.has(name)) properties.set(name, value);
    }
  }
  return properties;
}

async function readSidecar(path: string, problems: PhotoProblem[]): Promise<XmpProperties> {
  try {
    const bytes = await readBounded(path);
    if (bytes === undefined) {
      problems.push(badMetadata('The sidecar is too large to be read.'));
      return new Map();
    }
    const properties = parseXmp(bytes);
    if (properties.size === 0) problems.push(badMetadata('The sidecar holds no XMP properties.'));
    return properties;
  } catch (error) {
    // Deleted since the scan: the photo has no sidecar any more.
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
    if (code === 'ENOENT') return new Map();
    const reason = error instanceof XmlError ? error.message : (code ?? 'it is damaged');
    problems.push(badMetadata(`The sidecar cannot be read: ${reason}.`));
    return new Map();
  }
}

async function readBounded(path: string): Promise<Buffer | undefined> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > MAX_SIDECAR_BYTES) return undefined;
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await handle.read(buffer, 0, size, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
