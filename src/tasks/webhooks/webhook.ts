import type { EventFilter } from '../events/event-filter.js';
import type { TaskStatus } from '../task-state.js';

/** Why nothing is sent: somebody said so; the receiver answered 410; it has refused everything for a day. */
export type DisabledReason = 'by_hand' | 'gone' | 'failing';

/** What a person decides about a webhook. */
export interface WebhookTerms {
  readonly name: string;
  readonly url: string;
  /** null: all. */
  readonly statuses: readonly TaskStatus[] | null;
  /** null: all. Lower case. */
  readonly types: readonly string[] | null;
  readonly topLevel: boolean;
}

/** How far its deliveries are. */
export interface WebhookState {
  /** What is before it has been delivered, or was not asked for. As text: see events/position.ts. */
  readonly position: string;
  /** What is being delivered: everything from `position` to `until`, under this id until it has been taken. */
  readonly delivery: { readonly id: string; readonly until: string } | null;
  /** Failed attempts at that delivery. */
  readonly attempt: number;
}

export interface Webhook extends WebhookTerms, WebhookState {
  readonly id: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
  readonly updatedBy: string;
  readonly nextAttemptAt: Date;
  readonly failingSince: Date | null;
  readonly disabledAt: Date | null;
  readonly disabledReason: DisabledReason | null;
}

export interface WebhookWithSecret extends Webhook {
  readonly secret: string;
}

/** One that this process delivers for. */
export interface HeldWebhook extends WebhookWithSecret {
  /** By which of all takings; over, when the row names another. */
  readonly heldBy: string;
  /** Moments are the database's, whose clock may differ from this process's: from when this was read. */
  readonly nextAttemptInMs: number;
  readonly failingForMs: number | null;
}

/** An attempt at a delivery, and what came of it. */
export interface DeliveryAttempt {
  readonly deliveryId: string;
  readonly after: string;
  readonly until: string;
  readonly events: number;
  readonly attempt: number;
  /** null: there was no answer. */
  readonly status: number | null;
  /** null: it was taken. */
  readonly error: string | null;
  readonly durationMs: number;
  readonly at: Date;
}

export const filterOf = ({ statuses, types, topLevel }: WebhookTerms): EventFilter => ({
  statuses: statuses ?? undefined,
  types: types ?? undefined,
  topLevel,
});
