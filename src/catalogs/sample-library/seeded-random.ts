/** Called millions of times a picture; looking the global up each time is what is slow under jest. */
const { floor, imul } = Math;

/**
 * Numbers that look random and are the same for the same seed, on every machine: mulberry32 (Tommy Ettinger, public
 * domain), good enough for pictures and quick. Not for secrets.
 */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 ≤ x < 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** Both ends included. */
  integer(from: number, to: number): number {
    return floor(this.between(from, to + 1));
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.integer(0, choices.length - 1)] ?? choices[0];
  }

  /** A seed for something that draws its own numbers, so that what it draws does not depend on who drew before. */
  seed(): number {
    return this.integer(0, 2 ** 31);
  }
}
