import { Injectable } from '@nestjs/common';
import { type EntityManager, LessThan } from 'typeorm';
import { AccessEventEntity } from './access-event.entity.js';
import type { AccessEvent } from './access-event.js';

/** Rows of `access_events`. */
@Injectable()
export class AccessEventRepository {
  async append(manager: EntityManager, event: Omit<AccessEvent, 'id'>): Promise<void> {
    await manager.insert(AccessEventEntity, event);
  }

  /** Newest first; `before` is the id of the last event of the page before. */
  listPage(manager: EntityManager, page: { limit: number; before?: string }): Promise<AccessEvent[]> {
    return manager.find(AccessEventEntity, {
      where: page.before === undefined ? {} : { id: LessThan(page.before) },
      order: { id: 'DESC' },
      take: page.limit,
    });
  }
}
