import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { TaskFilter } from './task-filter.js';
import { countStatement, estimateStatement } from './task-list.sql.js';

/** An estimate is as old as the planner's statistics, minutes mostly: asking again sooner tells nothing new. */
const ESTIMATE_MS = 10_000;
const MOST_ESTIMATES = 500;

export interface TaskTotal {
  readonly total: number;
  /** It is what the planner believes, not counted. */
  readonly totalIsEstimate: boolean;
}

/** How many tasks match. What is too many to be counted costs most of a first page, so it is not tried every time. */
@Injectable()
export class TaskCounter {
  private readonly estimates = new Map<string, { readonly total: number; readonly untilMs: number }>();

  constructor(private readonly database: Database) {}

  /** Looks at no more than `look` rows where no index decides. */
  async count(filter: TaskFilter, look: number): Promise<TaskTotal> {
    const key = JSON.stringify([filter, look]);
    const known = this.estimates.get(key);
    if (known && known.untilMs > performance.now()) return { total: known.total, totalIsEstimate: true };
    const { text, values } = countStatement(filter, look);
    const [row] = await this.database.query<{ found: number; is_cut: boolean }>(text, values);
    const { found = 0, is_cut: isCut = false } = row ?? {};
    if (!isCut) return { total: found, totalIsEstimate: false };
    const total = Math.max(found, await this.estimate(filter));
    this.remember(key, total);
    return { total, totalIsEstimate: true };
  }

  private async estimate(filter: TaskFilter): Promise<number> {
    const { text, values } = estimateStatement(filter);
    const [row] = await this.database.query<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }>(text, values);
    return row?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0;
  }

  private remember(key: string, total: number): void {
    this.estimates.delete(key);
    this.estimates.set(key, { total, untilMs: performance.now() + ESTIMATE_MS });
    const [oldest] = this.estimates.keys();
    if (this.estimates.size > MOST_ESTIMATES && oldest !== undefined) this.estimates.delete(oldest);
  }
}
