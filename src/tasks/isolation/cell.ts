/** How a cell came to its end: it left as it should, or its process died, and of what. */
export type CellEnd = { readonly kind: 'left' } | { readonly kind: 'died'; readonly how: string };

/** A worker apart, in a process of its own, that runs suspects one at a time. */
export interface Cell {
  /** Its registration; undefined until it has one. */
  readonly workerId: string | undefined;
  readonly ended: Promise<CellEnd>;
  /** Asks it to hand back what it has and to go. */
  stop(): void;
  /** Ends it whatever it does; that is no death. */
  kill(): void;
}

export type OpenCell = () => Cell;
