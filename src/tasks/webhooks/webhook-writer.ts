import { Logger } from '@nestjs/common';
import type { Database } from '../../platform/database/database.js';
import type { SavedWebhook, WebhooksRepository } from './webhooks.repository.js';

/** What many webhooks have to say within so long is one statement and one commit. Longer holds up every delivery. */
const GATHER_MS = 10;
const RETRY_MS = 500;

interface Entry {
  saved: SavedWebhook;
  readonly settle: ((isHeld: boolean) => void)[];
}

/** Writes down how far the webhooks of this process are: a hundred of them cost little more than one. */
export class WebhookWriter {
  private readonly logger = new Logger(WebhookWriter.name);
  private readonly dirty = new Map<string, Entry>();
  private writing: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly database: Database,
    private readonly webhooks: WebhooksRepository,
  ) {}

  /** Resolves when it is committed, to whether the webhook was still held; if not, nothing was written. */
  save(saved: SavedWebhook): Promise<boolean> {
    return new Promise((resolve) => {
      const before = this.dirty.get(saved.taking.heldBy);
      const attempts = [...(before?.saved.attempts ?? []), ...saved.attempts];
      this.dirty.set(saved.taking.heldBy, {
        saved: { ...saved, attempts },
        settle: [...(before?.settle ?? []), resolve],
      });
      this.writing ??= this.writeAll();
    });
  }

  /** From now on what cannot be written is not tried again, so that nobody waits for it: whoever comes next does it again. */
  giveUp(): void {
    this.closed = true;
  }

  /** Writes what there is, as far as it can be written, and then nothing more. */
  async close(): Promise<void> {
    this.giveUp();
    await this.writing;
  }

  private async writeAll(): Promise<void> {
    while (this.dirty.size > 0) {
      await pause(GATHER_MS);
      const entries = [...this.dirty.values()];
      this.dirty.clear();
      const held = await this.write(entries);
      for (const { saved, settle } of entries) for (const resolve of settle) resolve(held.has(saved.taking.heldBy));
    }
    this.writing = undefined;
  }

  private async write(entries: readonly Entry[]): Promise<ReadonlySet<string>> {
    for (;;) {
      try {
        const saved = entries.map((entry) => entry.saved);
        return await this.webhooks.save(this.database, saved);
      } catch (error) {
        this.logger.warn({ message: 'deliveries cannot be written down, trying again', err: error });
        if (this.closed) return new Set();
        await pause(RETRY_MS);
      }
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
