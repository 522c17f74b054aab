import { Injectable } from '@nestjs/common';
import type { Sql, Transaction } from '../../platform/database/transaction.js';
import { conflict } from '../../platform/errors/app-error.js';
import type {
  DeliveryAttempt,
  DisabledReason,
  HeldWebhook,
  Webhook,
  WebhookState,
  WebhookTerms,
  WebhookWithSecret,
} from './webhook.js';
import {
  DELETE_WEBHOOK,
  HOLD_WEBHOOKS,
  INSERT_WEBHOOK,
  LAST_ATTEMPT,
  LIST_ATTEMPTS,
  LIST_WEBHOOKS,
  LOCK_WEBHOOK,
  RELEASE_WEBHOOKS,
  RENEW_WEBHOOKS,
  SAVE_WEBHOOKS,
  UPDATE_WEBHOOK,
  WEBHOOK_BY_ID,
  WEBHOOK_ID_BY_NAME,
} from './webhooks.sql.js';

/** Who delivers for a webhook, as long as its row says so. */
export type Taking = Pick<HeldWebhook, 'id' | 'heldBy'>;

interface Held {
  readonly held_by: string;
}

/** What one webhook has come to, as its process writes it down. */
export interface SavedWebhook {
  readonly taking: Taking;
  readonly state: WebhookState;
  readonly nextAttemptInMs: number;
  readonly isFailing: boolean;
  readonly disabledReason?: DisabledReason;
  readonly attempts: readonly DeliveryAttempt[];
}

/** Rows of `webhooks` and `webhook_deliveries`. */
@Injectable()
export class WebhooksRepository {
  async insert(sql: Sql, terms: WebhookTerms, more: Record<'id' | 'secret' | 'actor' | 'position', string>) {
    const values = [more.id, ...valuesOf(terms), more.secret, more.actor, more.position];
    return only(await withUniqueName(() => sql.query<Webhook>(INSERT_WEBHOOK, values)));
  }

  /** Oldest first. */
  list(sql: Sql, { after, limit }: { readonly after?: string; readonly limit: number }): Promise<Webhook[]> {
    return sql.query<Webhook>(LIST_WEBHOOKS, [after ?? null, limit]);
  }

  async find(sql: Sql, id: string): Promise<WebhookWithSecret | undefined> {
    return (await sql.query<WebhookWithSecret>(WEBHOOK_BY_ID, [id]))[0];
  }

  /** Until the transaction ends nobody else changes it. */
  async lock(tx: Transaction, id: string): Promise<WebhookWithSecret | undefined> {
    return (await tx.query<WebhookWithSecret>(LOCK_WEBHOOK, [id]))[0];
  }

  async findIdByName(sql: Sql, name: string): Promise<string | undefined> {
    return (await sql.query<{ id: string }>(WEBHOOK_ID_BY_NAME, [name]))[0]?.id;
  }

  /** Of one that is locked. */
  async update(sql: Sql, id: string, change: { terms: WebhookTerms; enabled?: boolean; actor: string }) {
    const values = [id, ...valuesOf(change.terms), change.actor, change.enabled ?? null];
    return only(await withUniqueName(() => sql.query<Webhook>(UPDATE_WEBHOOK, values)));
  }

  async remove(sql: Sql, id: string): Promise<boolean> {
    return (await sql.query(DELETE_WEBHOOK, [id])).length > 0;
  }

  hold(sql: Sql, { leaseMs, limit }: { readonly leaseMs: number; readonly limit: number }): Promise<HeldWebhook[]> {
    return sql.query<HeldWebhook>(HOLD_WEBHOOKS, [leaseMs, limit]);
  }

  /** Gives the takings that are still good. */
  async renew(sql: Sql, takings: readonly Taking[], leaseMs: number): Promise<Set<string>> {
    return heldBy(await sql.query<Held>(RENEW_WEBHOOKS, [...arraysOf(takings), leaseMs]));
  }

  async release(sql: Sql, takings: readonly Taking[]): Promise<void> {
    await sql.query(RELEASE_WEBHOOKS, arraysOf(takings));
  }

  /** Gives the takings that were still good, of which alone this was written. */
  async save(sql: Sql, saved: readonly SavedWebhook[]): Promise<Set<string>> {
    const states = saved.map(({ taking, state, nextAttemptInMs, isFailing, disabledReason }) => ({
      id: taking.id,
      held_by: taking.heldBy,
      position: state.position,
      delivery_id: state.delivery?.id,
      delivery_until: state.delivery?.until,
      attempt: state.attempt,
      next_attempt_in_ms: nextAttemptInMs,
      is_failing: isFailing,
      disabled_reason: disabledReason,
    }));
    const attempts = saved.flatMap(({ taking, attempts }) =>
      attempts.map(({ deliveryId, durationMs, ...attempt }) => ({
        ...{ webhook_id: taking.id, delivery_id: deliveryId, duration_ms: durationMs },
        ...attempt,
      })),
    );
    return heldBy(await sql.query<Held>(SAVE_WEBHOOKS, [JSON.stringify(states), JSON.stringify(attempts)]));
  }

  /** Newest first. */
  listAttempts(sql: Sql, id: string): Promise<DeliveryAttempt[]> {
    return sql.query<DeliveryAttempt>(LIST_ATTEMPTS, [id]);
  }

  async findLastAttempt(sql: Sql, id: string, deliveryId: string): Promise<DeliveryAttempt | undefined> {
    return (await sql.query<DeliveryAttempt>(LAST_ATTEMPT, [id, deliveryId]))[0];
  }
}

const heldBy = (rows: readonly Held[]): Set<string> => new Set(rows.map((row) => row.held_by));

const arraysOf = (takings: readonly Taking[]): unknown[] => [
  takings.map(({ id }) => id),
  takings.map((taking) => taking.heldBy),
];

const valuesOf = ({ name, url, statuses, types, topLevel }: WebhookTerms): unknown[] => [
  ...[name, url, statuses, types, topLevel],
];

function only<Row>([row]: readonly Row[]): Row {
  if (!row) throw new Error('a row was written without coming back');
  return row;
}

async function withUniqueName<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if ((error as { constraint?: string }).constraint !== 'webhooks_name') throw error;
    throw conflict('webhook_name_taken', 'another webhook has this name', { cause: error });
  }
}
