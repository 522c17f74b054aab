import type { ByteSource } from '../byte-source.js';
import { setSize, type EmbeddedMetadata } from '../embedded-metadata.js';
import { cleanName, decodeTerminated } from '../text.js';

/** Records of Canon's CIFF (CRW files, and JPEGs of the first PowerShots), by their number without the data-type bits. */
const RECORD = { cameraObject: 0x080a, serialNumber: 0x180b, timeStamp: 0x180e, imageInfo: 0x1810 } as const;
const TYPE_MASK = 0x3fff;
const IN_RECORD = 0x4000;
const DIRECTORY_TYPES = [0x2800, 0x3000];
const MAX_DEPTH = 4;
/** In all heaps together: heaps may overlap, so that depth alone bounds nothing. */
const MAX_RECORDS = 2000;

/** A heap with its directory at the end, whose entries may be further heaps. */
export async function readCiff(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 14);
  const little = header.toString('latin1', 0, 2) === 'II';
  if (header.length < 14) return;
  const start = little ? header.readUInt32LE(2) : header.readUInt32BE(2);
  await readHeap(source.window(start), { little, depth: 0, budget: { records: MAX_RECORDS } }, found);
}

interface CiffValue {
  readonly bytes: Buffer;
  /** 32 bits at an offset, as far as there are any. */
  readonly unsigned: (at: number) => number | undefined;
}

interface Place {
  readonly little: boolean;
  readonly depth: number;
  readonly budget: { records: number };
}

async function readHeap(heap: ByteSource, place: Place, found: EmbeddedMetadata): Promise<void> {
  const { little, depth, budget } = place;
  if (depth > MAX_DEPTH || heap.size < 6) return;
  const u32 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const u16 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const directoryAt = u32(await heap.read(heap.size - 4, 4), 0);
  const counter = await heap.read(directoryAt, 2);
  if (counter.length < 2) return;
  const entries = await heap.read(directoryAt + 2, Math.min(u16(counter, 0), budget.records) * 10);
  budget.records -= entries.length / 10;
  for (let at = 0; at + 10 <= entries.length; at += 10) {
    const tag = u16(entries, at);
    const offset = u32(entries, at + 6);
    const size = u32(entries, at + 2);
    if (DIRECTORY_TYPES.includes(tag & 0x3800) && (tag & IN_RECORD) === 0) {
      // Strictly smaller than its parent, so that a heap cannot contain itself.
      if (size < heap.size) {
        await readHeap(heap.window(offset, size), { ...place, depth: depth + 1 }, found);
      }
    } else {
      const isInRecord = (tag & IN_RECORD) !== 0;
      const bytes = isInRecord ? entries.subarray(at + 2, at + 10) : await heap.read(offset, Math.min(size, 256));
      const unsigned = (index: number): number | undefined =>
        index + 4 <= bytes.length ? u32(bytes, index) : undefined;
      readRecord(tag & TYPE_MASK, { bytes, unsigned }, found);
    }
  }
}

function readRecord(record: number, value: CiffValue, found: EmbeddedMetadata): void {
  const set = (name: string, text: string | undefined): void => {
    if (text !== undefined) found.texts.set(name, text);
  };
  if (record === RECORD.cameraObject) {
    set('Make', cleanName(decodeTerminated(value.bytes)));
    set('Model', cleanName(decodeTerminated(value.bytes.subarray(value.bytes.indexOf(0) + 1))));
  } else if (record === RECORD.serialNumber) {
    set('SerialNumber', value.unsigned(0)?.toString());
  } else if (record === RECORD.timeStamp) {
    // Seconds since 1970 as if the camera's wall clock were UTC.
    set('DateTimeOriginal', wallClock(value.unsigned(0)));
  } else if (record === RECORD.imageInfo) {
    setSize(found, value.unsigned(0), value.unsigned(4));
  }
}

/** `2004-08-27T13:52:55` of seconds counted on a wall clock. */
export function wallClock(seconds: number | undefined): string | undefined {
  if (seconds === undefined || seconds === 0) return undefined;
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}
