import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Counter } from 'prom-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '../../platform/database/database.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { Trail } from '../events/trail.js';
import { exponential } from '../retry-policy.js';
import type { DeliveryOutcome } from './delivery.js';
import { Poster } from './post.js';
import type { HeldWebhook } from './webhook.js';
import { WebhookSender } from './webhook-sender.js';
import { WebhookWriter } from './webhook-writer.js';
import { WebhooksRepository } from './webhooks.repository.js';

/** How often a process looks for webhooks that nobody delivers for, and says that it is there: two cheap statements. */
const LOOK_EVERY_MS = 1_000;
/** Smaller takes webhooks from a process that is merely slow; larger lets those of a dead one wait. */
const LEASE_MS = 10_000;
/** A look takes so many, so that processes which start together share them. */
const TAKEN_AT_ONCE = 50;
const BACKOFF = exponential({ firstMs: 2_000, maxMs: 600_000 });
/** As long as a position lasts: what is older could not be delivered any more. */
const GIVE_UP_MS = 86_400_000;
/** What deliveries that are on their way get to be answered at shutdown. */
const FAREWELL_MS = 1_000;

/**
 * Delivers for webhooks. Every process that serves or works does; the database gives each webhook to one of them, which
 * keeps it for as long as it says that it is there.
 */
@Injectable()
export class WebhookDispatcher implements OnApplicationBootstrap, OnModuleDestroy {
  lookEveryMs = LOOK_EVERY_MS;
  leaseMs = LEASE_MS;
  backoff = BACKOFF;
  giveUpMs = GIVE_UP_MS;
  private readonly logger = new Logger(WebhookDispatcher.name);
  private readonly senders = new Map<string, WebhookSender>();
  private readonly writer: WebhookWriter;
  private readonly deliveries: Counter<'outcome'>;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private failing = false;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly webhooks: WebhooksRepository,
    private readonly trail: Trail,
    private readonly poster: Poster,
    { registry }: Metrics,
  ) {
    this.writer = new WebhookWriter(database, webhooks);
    this.deliveries = new Counter({
      name: 'photosafe_webhook_deliveries_total',
      help: 'Attempts to deliver events to webhooks: delivered, failed',
      labelNames: ['outcome'],
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    this.next(0);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
    const senders = [...this.senders.values()];
    const done = Promise.allSettled(senders.map((sender) => sender.finish()));
    await Promise.race([done, sleep(FAREWELL_MS, undefined, { ref: false })]);
    for (const sender of senders) sender.stop();
    this.writer.giveUp();
    await done;
    await this.writer.close();
    await this.release(senders.map(({ webhook }) => webhook));
  }

  private next(inMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().then(() => {
        this.next(this.lookEveryMs);
      });
    }, inMs);
  }

  private async look(): Promise<void> {
    try {
      if (this.senders.size > 0) await this.keep();
      const lease = { leaseMs: this.leaseMs, limit: TAKEN_AT_ONCE };
      for (const webhook of await this.webhooks.hold(this.database, lease)) this.start(webhook);
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.logger.warn({ message: 'webhooks cannot be looked at, trying again', err: error });
      this.failing = true;
    }
  }

  /** Whose webhook was changed, deleted, disabled or given to another process stops. */
  private async keep(): Promise<void> {
    const senders = [...this.senders.values()];
    const takings = senders.map(({ webhook }) => webhook);
    const held = await this.webhooks.renew(this.database, takings, this.leaseMs);
    for (const sender of senders) if (!held.has(sender.webhook.heldBy)) sender.stop();
  }

  private async release(takings: readonly HeldWebhook[]): Promise<void> {
    await this.webhooks.release(this.database, takings).catch((error: unknown) => {
      this.logger.debug({ message: 'webhooks not released; others take them when the lease has run out', err: error });
    });
  }

  private start(webhook: HeldWebhook): void {
    this.senders.get(webhook.id)?.stop();
    const { trail, poster, backoff, giveUpMs, writer } = this;
    const ended = (outcome: DeliveryOutcome): void => {
      this.deliveries.inc({ outcome: outcome.isTaken ? 'delivered' : 'failed' });
    };
    const parts = { trail, poster, backoff, giveUpMs, ended, save: writer.save.bind(writer) };
    const sender = new WebhookSender(webhook, parts);
    this.senders.set(webhook.id, sender);
    void sender.done
      .catch((error: unknown) => {
        const message = 'a webhook cannot be delivered for, trying again';
        this.logger.warn({ message, webhookId: webhook.id, err: error });
      })
      .then(async () => {
        if (this.senders.get(webhook.id) === sender) this.senders.delete(webhook.id);
        if (!this.stopped) await this.release([webhook]);
      });
  }
}
