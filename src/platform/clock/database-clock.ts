import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

/** The database's time of day: one clock for all processes, however wrong their own are. */
@Injectable()
export class DatabaseClock {
  constructor(private readonly database: Database) {}

  async now(): Promise<Date> {
    const [row] = await this.database.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    if (!row) throw new Error('the database does not tell the time');
    return row.now;
  }
}
