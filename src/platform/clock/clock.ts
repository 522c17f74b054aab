import { Injectable } from '@nestjs/common';

/** The time of day, in a form that a test can replace. For durations use `performance.now()`. */
@Injectable()
export class Clock {
  now(): Date {
    return new Date();
  }
}
