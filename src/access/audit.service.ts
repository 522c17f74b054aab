import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { AccessEvent } from './access-event.js';
import { AccessEventRepository } from './access-event.repository.js';

export interface AccessEventPage {
  readonly items: readonly AccessEvent[];
  /** Id of the last item when there may be more. */
  readonly next?: string;
}

/** Reads the audit trail. It is written by whoever acts, in the same transaction. */
@Injectable()
export class AuditService {
  constructor(
    private readonly database: Database,
    private readonly events: AccessEventRepository,
  ) {}

  async list({ limit, before }: { limit: number; before?: string }): Promise<AccessEventPage> {
    const rows = await this.events.listPage(this.database.dataSource.manager, { limit: limit + 1, before });
    const items = rows.slice(0, limit);
    return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
  }
}
