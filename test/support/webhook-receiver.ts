import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { waitFor, type WaitOptions } from './wait-for.js';

export interface ReceivedEvent {
  readonly event: string;
  readonly id: string;
  readonly task_id: string;
  readonly reason: string;
  readonly type?: string;
}

/** A message as it came in. */
export interface Received {
  readonly path: string;
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly body: { readonly type: string; readonly data: { readonly events: readonly ReceivedEvent[] } };
}

type Answer = (message: Received, response: ServerResponse) => unknown;

const take: Answer = (_message, response) => response.writeHead(204).end();

/** Somebody's server that webhooks are sent to. It takes everything, unless it is told otherwise. */
export class WebhookReceiver {
  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  readonly messages: Received[] = [];
  answer: Answer = take;
  private readonly server: Server = createServer((request, response) => void this.receive(request, response));

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  events(path = '/'): ReceivedEvent[] {
    return this.messages.filter((message) => message.path === path).flatMap(({ body }) => body.data.events);
  }

  takeAll(): void {
    this.answer = take;
  }

  async until(count: number, options?: WaitOptions & { path?: string }): Promise<ReceivedEvent[]> {
    await waitFor(
      `${String(count)} events, not ${this.events(options?.path).length}`,
      () => this.events(options?.path).length >= count,
      { timeoutMs: 20_000, ...options },
    );
    return this.events(options?.path);
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    const message = {
      path: request.url ?? '',
      id: headers['webhook-id'] ?? '',
      headers,
      text: body,
      body: JSON.parse(body) as Received['body'],
    };
    this.messages.push(message);
    this.answer(message, response);
  }
}
