import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import { conflict, notFound } from '../../platform/errors/app-error.js';
import { EventMatcher } from '../events/event-filter.js';
import { decodePosition, encodePosition } from '../events/position.js';
import { Trail } from '../events/trail.js';
import type { TrailEvent } from '../events/trail-event.js';
import { attemptDelivery, bodyOf, type Delivery, deliveryOf } from './delivery.js';
import { parseDestination } from './destination.js';
import { Poster } from './post.js';
import { newWebhookSecret } from './signature.js';
import { type DeliveryAttempt, filterOf, type Webhook, type WebhookTerms, type WebhookWithSecret } from './webhook.js';
import { WebhooksRepository } from './webhooks.repository.js';

/** Webhooks as the operator sees them. What is changed here, the process that delivers goes by within seconds. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly database: Database,
    private readonly webhooks: WebhooksRepository,
    private readonly trail: Trail,
    private readonly poster: Poster,
    private readonly settings: Settings,
  ) {}

  /** From now on. The secret is in this answer and in no other. @throws invalid `invalid_webhook_url`, conflict `webhook_name_taken`. */
  async create(terms: WebhookTerms, actor: string): Promise<{ webhook: Webhook; secret: string }> {
    const url = parseDestination(terms.url, this.settings.webhookNetworks).href;
    const secret = newWebhookSecret();
    const position = encodePosition(await this.trail.now());
    const more = { id: v7(), secret, actor, position };
    return { webhook: await this.webhooks.insert(this.database, { ...terms, url }, more), secret };
  }

  /** Oldest first. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<Webhook[]> {
    return this.webhooks.list(this.database, page);
  }

  get(id: string): Promise<Webhook> {
    return this.known(id);
  }

  /** By id or name. */
  async resolve(handle: string): Promise<string> {
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(handle);
    const id = isId ? handle : await this.webhooks.findIdByName(this.database, handle);
    if (id === undefined) throw unknown(handle);
    return id;
  }

  /** @param change what is to be other than it is; `enabled` delivers again from where it had come, or stops */
  async update(id: string, change: Partial<WebhookTerms> & { enabled?: boolean }, actor: string): Promise<Webhook> {
    const { enabled, ...terms } = change;
    return this.database.transaction(async (tx) => {
      const webhook = await this.webhooks.lock(tx, id);
      if (!webhook) throw unknown(id);
      const merged = { ...webhook, ...terms };
      const url = parseDestination(merged.url, this.settings.webhookNetworks).href;
      return this.webhooks.update(tx, id, { terms: { ...merged, url }, enabled, actor });
    });
  }

  async remove(id: string): Promise<void> {
    if (!(await this.webhooks.remove(this.database, id))) throw unknown(id);
  }

  /** The last hundred attempts, newest first. */
  async deliveries(id: string): Promise<DeliveryAttempt[]> {
    await this.known(id);
    return this.webhooks.listAttempts(this.database, id);
  }

  /** Sends a message without events, now, whatever state the webhook is in, and gives what came of it. */
  async ping(id: string): Promise<DeliveryAttempt> {
    const webhook = await this.known(id);
    const { position } = webhook;
    const delivery = { id: randomUUID(), after: position, until: position, count: 0, body: bodyOf('ping', []) };
    return this.send(webhook, delivery);
  }

  /** Sends a delivery of the log again, under the id that it had. @throws conflict `delivery_expired`. */
  async redeliver(id: string, deliveryId: string): Promise<DeliveryAttempt> {
    const webhook = await this.known(id);
    const last = await this.webhooks.findLastAttempt(this.database, id, deliveryId);
    if (!last)
      throw notFound('delivery_not_found', `the webhook has no delivery ${deliveryId} among its last attempts`);
    const after = await this.trail.resolve(last.after);
    const until = decodePosition(last.until);
    if (typeof after === 'string' || !until) {
      throw conflict('delivery_expired', 'the events of this delivery are more than a day old');
    }
    const matcher = new EventMatcher(filterOf(webhook));
    const events: TrailEvent[] = [];
    for await (const some of this.trail.between(after, until)) {
      events.push(...some.filter((event) => matcher.matches(event)));
    }
    return this.send(webhook, deliveryOf(deliveryId, { after, until }, events));
  }

  private async send(webhook: WebhookWithSecret, delivery: Delivery): Promise<DeliveryAttempt> {
    const never = new AbortController().signal;
    return (await attemptDelivery(this.poster, { webhook, delivery, attempt: 1 }, never)).attempt;
  }

  private async known(id: string): Promise<WebhookWithSecret> {
    const webhook = await this.webhooks.find(this.database, id);
    if (!webhook) throw unknown(id);
    return webhook;
  }
}

const unknown = (handle: string): Error => notFound('webhook_not_found', `there is no webhook ${handle}`);
