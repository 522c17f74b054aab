import { findBox, listBoxes, type Box } from './iso-boxes.js';

export interface ItemInfo {
  readonly id: number;
  readonly type: string;
  readonly contentType: string | undefined;
}

export interface ItemLocation {
  /** 0 = offset in the file, 1 = in the `idat` box, 2 = in another item. */
  readonly method: number;
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
}

/** Metadata items have one extent; tiled pictures, which are of no interest here, have one per tile item. */
const MAX_EXTENTS = 64;

/** Reads numbers one after another; past the end all are 0, so that damaged tables end instead of throwing. */
class Cursor {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  hasMore(): boolean {
    return this.at < this.bytes.length;
  }

  unsigned(size: number): number {
    const end = this.at + size;
    if (size === 0 || end > this.bytes.length) {
      this.at = end;
      return 0;
    }
    const value = size === 8 ? Number(this.bytes.readBigUInt64BE(this.at)) : this.bytes.readUIntBE(this.at, size);
    this.at = end;
    return value;
  }

  /** Text up to a NUL. */
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    const text = this.bytes.toString('utf8', this.at, end === -1 ? this.bytes.length : end);
    this.at = end === -1 ? this.bytes.length : end + 1;
    return text;
  }

  fourCharacters(): string {
    const text = this.bytes.toString('latin1', this.at, this.at + 4);
    this.at += 4;
    return text;
  }
}

async function cursorOf(boxes: readonly Box[], type: string): Promise<Cursor | undefined> {
  const content = findBox(boxes, type)?.content;
  return content && new Cursor(await content.read(0, content.size));
}

export async function primaryItem(meta: readonly Box[]): Promise<number | undefined> {
  const cursor = await cursorOf(meta, 'pitm');
  if (cursor === undefined) return undefined;
  const version = cursor.unsigned(1);
  cursor.unsigned(3);
  return cursor.unsigned(version === 0 ? 2 : 4);
}

export async function itemInfos(meta: readonly Box[]): Promise<ItemInfo[]> {
  const container = findBox(meta, 'iinf')?.content;
  if (container === undefined) return [];
  const version = (await container.read(0, 1))[0];
  const infos: ItemInfo[] = [];
  for (const box of await listBoxes(container, version === 0 ? 6 : 8)) {
    if (box.type !== 'infe') continue;
    const cursor = new Cursor(await box.content.read(0, 512));
    const entryVersion = cursor.unsigned(1);
    cursor.unsigned(3);
    if (entryVersion < 2) continue;
    const id = cursor.unsigned(entryVersion === 2 ? 2 : 4);
    cursor.unsigned(2);
    const type = cursor.fourCharacters();
    cursor.text();
    infos.push({ id, type, contentType: type === 'mime' ? cursor.text() : undefined });
  }
  return infos;
}

export async function itemLocations(meta: readonly Box[]): Promise<Map<number, ItemLocation>> {
  const locations = new Map<number, ItemLocation>();
  const cursor = await cursorOf(meta, 'iloc');
  if (cursor === undefined) return locations;
  const version = cursor.unsigned(1);
  cursor.unsigned(3);
  const sizes = cursor.unsigned(2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  const itemCount = cursor.unsigned(version < 2 ? 2 : 4);
  const sizesOfFields = [offsetSize, lengthSize, baseSize, indexSize];
  // Fields of no size at all would make counts, which nothing backs, the only ends of the loops.
  const isStated = indexSize + offsetSize + lengthSize > 0;
  if (!isStated || sizesOfFields.some((size) => size !== 0 && size !== 4 && size !== 8)) return locations;
  for (let item = 0; item < itemCount && cursor.hasMore(); item++) {
    const id = cursor.unsigned(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : cursor.unsigned(2) & 15;
    cursor.unsigned(2);
    const base = cursor.unsigned(baseSize);
    const extentCount = cursor.unsigned(2);
    const extents: { offset: number; length: number }[] = [];
    for (let extent = 0; extent < extentCount && cursor.hasMore(); extent++) {
      cursor.unsigned(indexSize);
      const offset = base + cursor.unsigned(offsetSize);
      const length = cursor.unsigned(lengthSize);
      if (extents.length < MAX_EXTENTS) extents.push({ offset, length });
    }
    locations.set(id, { method, extents });
  }
  return locations;
}

/** The property boxes that belong to an item, in their order, which is that in which turns are applied. */
export async function propertiesOf(meta: readonly Box[], item: number | undefined): Promise<Box[]> {
  const container = findBox(meta, 'iprp')?.content;
  if (container === undefined) return [];
  const boxes = await listBoxes(container);
  const pool = findBox(boxes, 'ipco');
  const properties = pool ? await listBoxes(pool.content) : [];
  const cursor = await cursorOf(boxes, 'ipma');
  if (cursor === undefined || item === undefined) return properties.filter((box) => box.type === 'ispe').slice(0, 1);
  const version = cursor.unsigned(1);
  const wide = (cursor.unsigned(3) & 1) === 1;
  const entries = cursor.unsigned(4);
  for (let entry = 0; entry < entries && cursor.hasMore(); entry++) {
    const id = cursor.unsigned(version === 0 ? 2 : 4);
    const count = cursor.unsigned(1);
    const indices = Array.from({ length: count }, () => cursor.unsigned(wide ? 2 : 1) & (wide ? 0x7fff : 0x7f));
    if (id === item) return indices.flatMap((index) => properties[index - 1] ?? []);
  }
  return [];
}
