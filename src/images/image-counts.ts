/** How many images of a catalogue are in each state. */
export interface ImageCounts {
  readonly active: number;
  /** Found, not yet analysed. */
  readonly pending: number;
  readonly missing: number;
  readonly offline: number;
}
