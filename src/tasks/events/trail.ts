import { Injectable } from '@nestjs/common';
import { Follower } from './follower.js';
import type { Position } from './position.js';
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

  /** What a client was given to go on from; or why it cannot. */
  resolve(text: string): Promise<Position | PositionProblem> {
    return this.reader.resolve(text);
  }
}
