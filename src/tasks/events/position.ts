/**
 * A place in the audit trail, exact although rows are committed in another order than they are numbered.
 *
 * It is not a number but a snapshot: which transactions were over when it was taken. What had been committed then has been
 * delivered, everything else has not, however long a transaction stays open and whatever numbers its rows took. In the
 * middle of what became visible between two snapshots, the number of the last delivered row completes it.
 */
export interface Position {
  /** When `seen` was taken, in seconds since 1970. */
  readonly takenAt: number;
  /** All that this snapshot shows has been delivered. In PostgreSQL's words: `xmin:xmax:xip,xip`. */
  readonly seen: string;
  /** Of what `until` shows beyond that, rows before `id` too, and of row `id` the first `count` events. */
  readonly within?: { readonly until: string; readonly id: string; readonly count: number };
}

/** What people and clients hold: opaque, safe in a header, some 30 characters. */
export function encodePosition({ takenAt, seen, within }: Position): string {
  const start = encodeWindow(takenAt, seen, within?.until);
  return within ? start + encodeRow(within) : start;
}

/** The part that all positions within a window share. */
export const encodeWindow = (takenAt: number, seen: string, until?: string): string =>
  [takenAt.toString(RADIX), encodeSnapshot(seen), ...(until === undefined ? [] : [encodeSnapshot(until), ''])].join(
    '~',
  );

export const encodeRow = ({ id, count }: { readonly id: string; readonly count: number }): string =>
  `${BigInt(id).toString(RADIX)}.${count.toString(RADIX)}`;

/** Undefined for what {@link encodePosition} has not made. */
export function decodePosition(text: string): Position | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const parts = text.split('~');
  const [takenAt = '', seen = '', until, row] = parts;
  const snapshot = decodeSnapshot(seen);
  if (!/^[0-9a-z]{1,9}$/.test(takenAt) || snapshot === undefined) return undefined;
  const position = { takenAt: Number.parseInt(takenAt, RADIX), seen: snapshot };
  if (parts.length === 2) return position;
  const end = decodeSnapshot(until ?? '');
  const [, id, count] = /^([0-9a-z]{1,12})\.([0-9a-z]{1,6})$/.exec(row ?? '') ?? [];
  if (parts.length !== 4 || end === undefined || id === undefined || count === undefined) return undefined;
  const number = bigintOf(id);
  if (number > LARGEST_ID) return undefined;
  return { ...position, within: { until: end, id: number.toString(), count: Number.parseInt(count, RADIX) } };
}

/** The first transaction number that a snapshot knows nothing of. */
export const endOf = (snapshot: string): bigint => BigInt(snapshot.split(':')[1] ?? '0');

/**
 * Whether a snapshot was taken before another one of the same server. Numbers only grow: of two that know equally many,
 * the later one has fewer open.
 */
export function isOlder(snapshot: string, other: string): boolean {
  const [end, otherEnd] = [endOf(snapshot), endOf(other)];
  return end === otherEnd ? openIn(snapshot) > openIn(other) : end < otherEnd;
}

const openIn = (snapshot: string): number => snapshot.split(':')[2]?.split(',').filter(Boolean).length ?? 0;

const RADIX = 36;
/** Header lines may be 16 KB. A snapshot names the transactions that were open, of which there are as many as connections. */
const MOST_CHARACTERS = 8_000;
const LARGEST_ID = 2n ** 63n - 1n;
/** Transaction numbers have 64 bits. */
const LARGEST_TRANSACTION = 2n ** 64n - 1n;

/** `100:105:101,103` → `2s-5-1-2`: the first number, and from there how far it is to the others. */
function encodeSnapshot(snapshot: string): string {
  const [xmin = '', xmax = '', open = ''] = snapshot.split(':');
  const first = BigInt(xmin);
  let before = first;
  const steps = (open === '' ? [] : open.split(',')).map((text) => {
    const step = BigInt(text) - before;
    before += step;
    return step;
  });
  return [first, BigInt(xmax) - first, ...steps].map((number) => number.toString(RADIX)).join('-');
}

function decodeSnapshot(text: string): string | undefined {
  if (!/^[0-9a-z]{1,13}(-[0-9a-z]{1,13})+$/.test(text)) return undefined;
  const [first = 0n, length = 0n, ...steps] = text.split('-').map(bigintOf);
  const open: bigint[] = [];
  for (const step of steps) open.push((open.at(-1) ?? first) + step);
  const end = first + length;
  const isOrdered = open.every((number, i) => number > (open[i - 1] ?? -1n) && number < end);
  return first > 0n && end <= LARGEST_TRANSACTION && isOrdered ? `${first}:${end}:${open.join(',')}` : undefined;
}

const bigintOf = (text: string): bigint =>
  Array.from(text).reduce((sum, digit) => sum * BigInt(RADIX) + BigInt(Number.parseInt(digit, RADIX)), 0n);
