/** Why a root's photos cannot be reached; they stay in the catalogue and come back with it. */
export const OFFLINE_REASONS = ['vanished', 'unreadable', 'empty', 'replaced'] as const;
export type OfflineReason = (typeof OFFLINE_REASONS)[number];

/** A folder that a catalogue watches, with everything beneath it. */
export interface Root {
  readonly id: string;
  readonly catalogId: string;
  /** Absolute, symbolic links resolved when it was added. */
  readonly path: string;
  readonly state: 'online' | 'offline';
  readonly offlineReason: OfflineReason | undefined;
  readonly stateSince: Date;
  /** Device and inode of the folder when last seen; undefined before the first scan. */
  readonly fileSystemId: string | undefined;
}

/** True when one of two folders is, or lies in, the other. */
export const overlap = (one: string, other: string): boolean => contains(one, other) || contains(other, one);

/** True when `inner` is `outer` or lies in it. Both absolute and without `.`, `..` and trailing slashes. */
export const contains = (outer: string, inner: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
