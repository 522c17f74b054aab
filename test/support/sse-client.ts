import { get, type IncomingMessage } from 'node:http';
import { waitFor, type WaitOptions } from './wait-for.js';

export interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface SseOptions {
  readonly token?: string;
  readonly lastEventId?: string;
}

/** Reads an event stream as https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation says. */
export class SseClient {
  static open(url: string, { token, lastEventId }: SseOptions = {}): Promise<SseClient> {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    return new Promise((resolve, reject) => {
      get(url, { headers, agent: false }, (response) => resolve(new SseClient(response))).on('error', reject);
    });
  }

  readonly events: ServerSentEvent[] = [];
  readonly comments: string[] = [];
  lastEventId: string | undefined;
  retryMs: number | undefined;
  ended = false;
  /** Of an answer that is no stream. */
  text = '';
  private rest = '';
  private fields = { event: '', data: '' };

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.read(chunk));
    response.on('close', () => (this.ended = true));
    response.on('error', () => undefined);
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  /** Events of tasks, without those that are about the stream itself. */
  get tasks(): ServerSentEvent[] {
    return this.events.filter(({ event }) => event.startsWith('task.'));
  }

  async until(count: number, options?: WaitOptions): Promise<ServerSentEvent[]> {
    await waitFor(`${String(count)} events, not ${this.tasks.length}`, () => this.tasks.length >= count, options);
    return this.tasks;
  }

  async untilEnded(options?: WaitOptions): Promise<void> {
    await waitFor('the end of the stream', () => this.ended, options);
  }

  close(): void {
    this.response.destroy();
  }

  private read(chunk: string): void {
    this.text += this.status === 200 ? '' : chunk;
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === '') return this.dispatch();
    if (line.startsWith(':')) return void this.comments.push(line.slice(1).trim());
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === 'id') this.lastEventId = value;
    else if (name === 'retry') this.retryMs = Number(value);
    else if (name === 'event') this.fields.event = value;
    else if (name === 'data') this.fields.data += value;
  }

  private dispatch(): void {
    const { event, data } = this.fields;
    this.fields = { event: '', data: '' };
    if (data === '') return;
    this.events.push({ id: this.lastEventId, event, data: JSON.parse(data) as Record<string, unknown> });
  }
}
