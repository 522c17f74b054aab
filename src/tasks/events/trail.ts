import { Injectable } from '@nestjs/common';
import { Follower } from './follower.js';
import type { Position } from './position.js';
import type { TrailEvent } from './trail-event.js';
import { Tail } from './tail.js';
import { type PositionProblem, TrailReader } from './trail-reader.js';

/** The audit trail for whoever wants to follow it. */
@Injectable()
export class Trail {
  constructor(
    private readonly reader: TrailReader,
    private readonly tail: Tail,
  ) {}

  /** From a position on, or from now on: what is committed once this has resolved is not missed. */
  follow(position?: Position): Promise<Follower> {
    return Follower.open({ reader: this.reader, tail: this.tail }, position);
  }

  now(): Promise<Position> {
    return this.reader.now();
  }

  /** What was told between two positions of a follower, the later one included. */
  async *between(from: Position, to: Position): AsyncGenerator<readonly TrailEvent[]> {
    const { within, ...start } = to;
    for (let at = from; at.seen !== to.seen || within;) {
      const isLastStretch = at.seen === to.seen;
      // Rows are in order within one stretch: the last must be as long as it was, whatever marks there are by now.
      if (isLastStretch && within) at = { ...at, within: at.within ?? { until: within.until, id: '0', count: 0 } };
      const page = await this.reader.page(at, start);
      yield isLastStretch && within ? page.events.filter((event) => !isBehind(event, within)) : page.events;
      if (isLastStretch && (page.isLast || page.events.some((event) => within && isBehind(event, within)))) return;
      at = page.end;
    }
  }

  /** What a client was given to go on from; or why it cannot. */
  resolve(text: string): Promise<Position | PositionProblem> {
    return this.reader.resolve(text);
  }
}

function isBehind({ row, count }: TrailEvent, within: NonNullable<Position['within']>): boolean {
  const [number, last] = [BigInt(row.id), BigInt(within.id)];
  return number > last || (number === last && count > within.count);
}
