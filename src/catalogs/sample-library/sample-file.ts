export type SampleFileKind =
  'shot' | 'resized' | 're-encoded' | 'exact-copy' | 'screenshot' | 'web' | 'broken' | 'sidecar';

export interface SampleFile {
  /** Below the library's folder, with `/`. */
  readonly path: string;
  readonly kind: SampleFileKind;
  /** Of copies and sidecars: the path of the shot that they belong to. */
  readonly of?: string;
  readonly modifiedMs: number;
}

/** Files that are made together, because some are made from others. */
export interface FileSource {
  readonly files: readonly SampleFile[];
  /** One a file, in that order. */
  readonly contents: () => Promise<(Buffer | string)[]>;
}
