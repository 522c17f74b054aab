/**
 * What reading one photo's file tells about it, before anything is decoded. Plain data: the reader fills it, the
 * repository stores it. `undefined` = the file does not say.
 */
export interface PhotoFacts {
  /** By content, never by name: `jpeg`, `heic`, `dng`, … (metadata/photo-formats.ts has the list). */
  readonly format: string;
  readonly mimeType: string;
  /** Pixels as stored, before `orientation` is applied. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /**
   * How the stored pixels are turned to be seen, 1–8 as in EXIF; values out of range are dropped. Of HEIF and AVIF the
   * container's own turn, which decoders apply by themselves, wins over EXIF's.
   */
  readonly orientation: number | undefined;
  readonly captured: CaptureTime | undefined;
  /** Every source that offered a date, best first; `captured` is the first. */
  readonly dateCandidates: readonly DateCandidate[];
  readonly cameraMake: string | undefined;
  readonly cameraModel: string | undefined;
  readonly cameraSerial: string | undefined;
  readonly lens: string | undefined;
  readonly exposure: Exposure;
  readonly position: Position | undefined;
  /** Shared by the frames of one burst, given by the camera. */
  readonly burstId: string | undefined;
  readonly description: string | undefined;
  readonly keywords: readonly string[];
  /** Stars 0–5, −1 for rejected. */
  readonly rating: number | undefined;
  /** All tags that were read, by group (`exif`, `gps`, `apple`, `iptc`, `xmp`, `sidecar`, `texts`), JSON-safe and bounded in size. */
  readonly tags: Readonly<Record<string, unknown>>;
}

export interface CaptureTime {
  /**
   * The wall clock at the place, ISO without zone: `2020-04-17T10:03:42`, with milliseconds when there are any. Where
   * only an instant is known (GPS time, file date) and no place, the clock of UTC. Midnight where only a day is known.
   */
  readonly local: string;
  /** The instant in UTC (ISO, `Z`); undefined when no zone or no time of day is known: never guessed from the server's zone. */
  readonly instant: string | undefined;
  /** IANA name (`America/Denver`, `UTC`) or fixed offset (`UTC-06:00`). */
  readonly zone: string | undefined;
  /** Where the zone comes from. */
  readonly zoneSource: 'offset-tag' | 'gps-position' | 'gps-time' | 'sidecar' | 'in-date' | undefined;
  /** Sub-second digits were given, and not just zeros, which cameras without them write. */
  readonly subSecond: boolean;
  /** `exif.DateTimeOriginal`, `sidecar.xmp:CreateDate`, `gps.DateTime`, `file-name`, `directory`, `filesystem.modified`, … */
  readonly source: string;
  /** 0–100. */
  readonly confidence: number;
}

export interface DateCandidate {
  readonly source: string;
  readonly local: string;
  readonly instant: string | undefined;
  readonly confidence: number;
}

export interface Exposure {
  /** Seconds. */
  readonly timeSeconds: number | undefined;
  readonly fNumber: number | undefined;
  readonly iso: number | undefined;
  readonly focalLengthMm: number | undefined;
  readonly focalLength35Mm: number | undefined;
  readonly flashFired: boolean | undefined;
}

export interface Position {
  /** Degrees, WGS84, −90…90; 0 is the equator and is a position. */
  readonly latitude: number;
  /** Degrees, −180…180. */
  readonly longitude: number;
  /** Metres above sea level. */
  readonly altitudeM: number | undefined;
  /** Precision 7; shorter ones are its prefixes. */
  readonly geohash: string;
}

/** Something wrong with a file. An `error` makes it a failure of the phase; a `warning` is recorded and the photo is used. */
export interface PhotoProblem {
  readonly severity: 'error' | 'warning';
  /** Stable snake_case: `empty_file`, `not_an_image`, `truncated`, `corrupt`, `too_many_pixels`, `unsupported_format`, `extension_mismatch`, … */
  readonly code: string;
  readonly message: string;
}
