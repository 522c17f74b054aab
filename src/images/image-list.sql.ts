import { type ImageFilter, type ImagePage, SORT_KEYS } from './image-query.js';
import { IMAGE_COLUMNS } from './images.sql.js';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Collects conditions; `?` stands for the value, which is bound. */
class Conditions {
  readonly values: unknown[] = [];
  private readonly parts: string[] = ['i.replaces IS NULL'];

  /** Nothing for an undefined value. */
  add(condition: string, value: unknown): void {
    if (value !== undefined) this.parts.push(condition.replaceAll('?', this.bind(value)));
  }

  always(condition: string): void {
    this.parts.push(condition);
  }

  bind(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  toString(): string {
    return this.parts.join(' AND ');
  }
}

/** A page of images. Indexes images_taken, images_path, images_imported, images_size give the order. */
export function listImages(filter: ImageFilter, { sort, descending, limit, after }: ImagePage): Statement {
  const where = conditions(filter);
  const { sql: key, type } = SORT_KEYS[sort];
  const direction = descending ? 'DESC' : 'ASC';
  if (after !== undefined) {
    const position = `(${where.bind(after.key)}::${type}, ${where.bind(after.id)}::uuid)`;
    where.always(`(${key}, i.id) ${descending ? '<' : '>'} ${position}`);
  }
  return {
    text: `SELECT ${IMAGE_COLUMNS}, (${key})::text AS sort_key FROM images i WHERE ${where.toString()}
      ORDER BY ${key} ${direction}, i.id ${direction} LIMIT ${where.bind(limit)}`,
    values: where.values,
  };
}

export function countImages(filter: ImageFilter): Statement {
  const where = conditions(filter);
  return { text: `SELECT count(*)::int AS total FROM images i WHERE ${where.toString()}`, values: where.values };
}

function conditions(filter: ImageFilter): Conditions {
  const where = new Conditions();
  where.add('i.catalog_id = ?', filter.catalogId);
  where.add('i.state = ANY(?::text[])', filter.states);
  where.add('i.format = ANY(?::text[])', filter.formats);
  where.add(`concat_ws(' ', i.camera_make, i.camera_model) ILIKE ?`, containing(filter.camera));
  where.add('i.taken_local >= ?::timestamp', filter.takenFrom);
  where.add('i.taken_local < ?::timestamp', filter.takenTo);
  where.add('(i.latitude IS NOT NULL) = ?', filter.hasGps);
  where.add('i.path ILIKE ?', containing(filter.text));
  where.add('EXISTS (SELECT 1 FROM image_problems p WHERE p.image_id = i.id AND p.code = ?)', filter.problem);
  where.add(
    `EXISTS (SELECT 1 FROM image_problems p WHERE p.image_id = i.id AND p.severity = 'error') = ?`,
    filter.failed,
  );
  addBoundingBox(where, filter);
  return where;
}

function addBoundingBox(where: Conditions, { boundingBox }: ImageFilter): void {
  if (boundingBox === undefined) return;
  const [west, south, east, north] = boundingBox.map((degrees) => where.bind(degrees));
  where.always(`i.latitude BETWEEN ${south ?? ''} AND ${north ?? ''}`);
  const crosses = boundingBox[0] > boundingBox[2];
  where.always(
    crosses
      ? `(i.longitude >= ${west ?? ''} OR i.longitude <= ${east ?? ''})`
      : `i.longitude BETWEEN ${west ?? ''} AND ${east ?? ''}`,
  );
}

/** What is looked for is taken literally: `%` and `_` too. */
const containing = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : `%${text.replace(/[\\%_]/g, '\\$&')}%`;
