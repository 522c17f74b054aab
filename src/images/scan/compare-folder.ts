import type { ListedPhoto } from './sidecars.js';

/** Where an image stands. `pending` = found, not yet told apart; `offline` = its root is not there. */
export const IMAGE_STATES = ['pending', 'active', 'missing', 'offline'] as const;
export type ImageState = (typeof IMAGE_STATES)[number];

export const isImageState = (word: string): word is ImageState => IMAGE_STATES.some((state) => state === word);

/** What the catalogue knows of the image that stands at a path. */
export interface KnownImage {
  readonly id: string;
  readonly name: string;
  readonly state: ImageState;
  /** Its file is to be read (again). */
  readonly due: boolean;
  /** Its file was never read. */
  readonly unread: boolean;
  readonly sizeBytes: number;
  readonly modifiedUs: bigint;
  readonly sidecarStamp: string;
}

export interface SeenAgain {
  readonly id: string;
  readonly photo: ListedPhoto;
}

/** What a folder's listing says about the images known to stand in it. */
export interface FolderChanges {
  readonly added: readonly ListedPhoto[];
  /** Saved again, or a sidecar was: to be read. */
  readonly changed: readonly SeenAgain[];
  /** Gone when last looked for, now back as they were: nothing to read. */
  readonly restored: readonly string[];
  readonly departed: readonly KnownImage[];
  readonly unchanged: number;
}

/** Compares by name, size, time of change and sidecars; content is the analysis's business. */
export function compareFolder(photos: readonly ListedPhoto[], known: readonly KnownImage[]): FolderChanges {
  const byName = new Map(known.map((image) => [image.name, image]));
  const added: ListedPhoto[] = [];
  const changed: SeenAgain[] = [];
  const restored: string[] = [];
  let unchanged = 0;
  for (const photo of photos) {
    const image = byName.get(photo.name);
    byName.delete(photo.name);
    if (image === undefined) added.push(photo);
    else if (!sameFile(photo, image) || (image.unread && !image.due)) changed.push({ id: image.id, photo });
    else if (image.state === 'missing' && !image.due) restored.push(image.id);
    else unchanged += 1;
  }
  const departed = [...byName.values()].filter(({ state }) => state !== 'missing' && state !== 'offline');
  return { added, changed, restored, departed, unchanged };
}

const sameFile = (photo: ListedPhoto, image: KnownImage): boolean =>
  photo.sizeBytes === image.sizeBytes &&
  photo.modifiedUs === image.modifiedUs &&
  photo.sidecarStamp === image.sidecarStamp;
