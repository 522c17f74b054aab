import type { ImageState } from './scan/compare-folder.js';

/** An image as the catalogue knows it. `null` = not known, or the file does not say. */
export interface Image {
  readonly id: string;
  readonly catalogId: string;
  /** null: the folder it was in has been taken out of the catalogue. */
  readonly rootId: string | null;
  /** Relative to its root; bytes that are no UTF-8 as described in stored-path.ts. */
  readonly path: string;
  readonly state: ImageState;
  readonly stateSince: Date;
  /** Its file is to be read (again). */
  readonly due: boolean;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** SHA-256, hexadecimal. */
  readonly checksum: string | null;
  readonly format: string | null;
  readonly mimeType: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly orientation: number | null;
  /** ISO without a zone. */
  readonly takenLocal: string | null;
  readonly takenAt: Date | null;
  readonly timeZone: string | null;
  readonly zoneSource: string | null;
  readonly subSecond: boolean | null;
  readonly dateSource: string | null;
  readonly dateConfidence: number | null;
  readonly cameraMake: string | null;
  readonly cameraModel: string | null;
  readonly cameraSerial: string | null;
  readonly lens: string | null;
  readonly exposureSeconds: number | null;
  readonly fNumber: number | null;
  readonly iso: number | null;
  readonly focalLengthMm: number | null;
  readonly focalLength35Mm: number | null;
  readonly flashFired: boolean | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly altitudeM: number | null;
  readonly geohash: string | null;
  readonly burstKey: string | null;
  readonly description: string | null;
  readonly keywords: readonly string[];
  readonly rating: number | null;
  readonly thumbhash: Buffer | null;
  readonly lastChange: string | null;
  readonly lastChangeAt: Date | null;
  readonly lastChangeBy: string | null;
  readonly createdAt: Date;
  /** Sizes of the thumbnails of what it holds now. */
  readonly thumbnails: readonly number[];
  /** Codes of what is wrong with it. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** One image with everything there is to know. */
export interface ImageDetails extends Image {
  readonly sidecars: readonly string[];
  readonly tags: unknown;
  readonly dateCandidates: unknown;
  readonly analysis: MadeBy | null;
  readonly problems: readonly RecordedProblem[];
  readonly renditions: readonly RecordedRendition[];
}

/** Which task made something. */
export interface MadeBy {
  readonly taskId: string;
  readonly taskType: string;
  readonly taskVersion: number;
  readonly at: Date;
}

export interface RecordedProblem extends MadeBy {
  readonly phase: string;
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

export interface RecordedRendition extends MadeBy {
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly quality: number;
  readonly blobKey: string;
  /** Of the content it was made from. */
  readonly sourceChecksum: string;
  /** Made from what the image holds now. */
  readonly current: boolean;
}
