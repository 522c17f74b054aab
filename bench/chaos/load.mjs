import { NestFactory } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { product } from '../harness/product.mjs';
import { doomed, leading, loadModule, plain, retried, split, TaskService } from './tasks.mjs';

const { WorkflowService } = await product('tasks/index');

const ACTOR = 'cli:chaos';
/** Requests a second; with what they split into and lead to, some three times as many tasks. */
const RATE = 10;

/** A steady stream of requests, each repeated under its key until it is acknowledged. */
export class Load {
  /** The tasks and workflows that somebody was told of. */
  acknowledged = { tasks: [], workflows: [] };
  #stopping = false;
  #under = new Set();

  static async start(url, random) {
    const app = await NestFactory.createApplicationContext(loadModule({ DATABASE_URL: url, LOG_LEVEL: 'silent' }), {
      logger: false,
      abortOnError: false,
    });
    return new Load(app, random);
  }

  constructor(app, random) {
    Object.assign(this, { app, random, tasks: app.get(TaskService), workflows: app.get(WorkflowService) });
    this.running = this.#run();
  }

  /** Resolves when the last request has been acknowledged. */
  async stop() {
    this.#stopping = true;
    await this.running;
    await Promise.all(this.#under);
  }

  close() {
    return this.app.close();
  }

  async #run() {
    for (let number = 0; !this.#stopping; number += 1) {
      const request = this.#request(`request-${number}`).finally(() => this.#under.delete(request));
      this.#under.add(request);
      await sleep(1_000 / RATE);
    }
  }

  async #request(key) {
    const dice = this.random();
    const ms = 20 + Math.floor(this.random() * 600);
    if (dice < 0.4) await this.#task(key, plain, { ms, expect: 'completed' });
    else if (dice < 0.6) await this.#task(key, plain, { ms, effect: true, expect: 'completed' });
    else if (dice < 0.7) await this.#task(key, retried, { ms, effect: true, expect: 'completed' });
    else if (dice < 0.74) await this.#task(key, doomed, { ms, effect: true, expect: 'failed' });
    else if (dice < 0.82) await this.#task(key, split, { ms, effect: true, expect: 'completed' });
    else if (dice < 0.9) await this.#task(key, leading, { ms, effect: true, expect: 'completed' });
    else if (dice < 0.95) await this.#cancelled(key);
    else await this.#workflow(key);
  }

  async #task(idempotencyKey, type, input) {
    const { id } = await this.#insist(() => this.tasks.enqueue(type, input, { actor: ACTOR, idempotencyKey }));
    this.acknowledged.tasks.push(id);
    return id;
  }

  /** One that takes long enough to be at work when it is cancelled. */
  async #cancelled(key) {
    const id = await this.#task(key, plain, { ms: 5_000, effect: true });
    await sleep(this.random() * 2_000);
    await this.#insist(() => this.tasks.cancel(id, ACTOR));
  }

  async #workflow(idempotencyKey) {
    const params = { ms: 50, effect: true, expect: 'completed' };
    const nodes = [
      { name: 'top', type: plain, params },
      { name: 'left', type: plain, params, after: ['top'] },
      { name: 'right', type: retried, params, after: ['top'] },
      { name: 'bottom', type: plain, params, after: ['left', 'right'] },
    ];
    const { id } = await this.#insist(() => this.workflows.start({ nodes }, { actor: ACTOR, idempotencyKey }));
    this.acknowledged.workflows.push(id);
  }

  async #insist(ask) {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (error.kind !== undefined && error.kind !== 'unavailable') throw error;
        await sleep(300);
      }
    }
  }
}
