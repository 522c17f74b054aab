/** A JPEG inside another file. */
export interface EmbeddedJpeg {
  readonly offset: number;
  /** Up to where it may reach; decoders stop at its end. */
  readonly length: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest that has enough detail, else the largest that there is. */
export function choosePreview(previews: readonly EmbeddedJpeg[], longestEdge: number): EmbeddedJpeg | undefined {
  const bySize = [...previews].sort((a, b) => edgeOf(a) - edgeOf(b));
  return bySize.find((preview) => edgeOf(preview) >= longestEdge) ?? bySize.at(-1);
}

export const edgeOf = ({ width, height }: EmbeddedJpeg): number => Math.max(width, height);
