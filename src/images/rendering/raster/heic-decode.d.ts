/** The part of heic-decode 2 that is used; it ships no types. */
declare module 'heic-decode' {
  interface HeicImage {
    readonly width: number;
    readonly height: number;
    decode(): Promise<{ readonly width: number; readonly height: number; readonly data: Uint8ClampedArray }>;
  }

  const heicDecode: {
    /** The pictures of a file, decoded one by one on demand; throws for what is no HEIC. */
    all(input: { readonly buffer: Uint8Array }): Promise<HeicImage[] & { dispose(): void }>;
  };
  export = heicDecode;
}
