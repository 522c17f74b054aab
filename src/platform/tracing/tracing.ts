import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { LogFields } from '../logging/log-context.js';

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  readonly name: string;
  readonly kind: 'server' | 'producer' | 'consumer' | 'internal';
  readonly attributes: SpanAttributes;
  /**
   * What it is a part of, as in the W3C header `traceparent`; null for nothing, so that a trace begins. Left out: the span
   * in which it is opened.
   */
  readonly parent?: string | null;
  /** When it began, if that was before it is opened. */
  readonly startedAt?: Date;
}

/** A span that has begun. */
export interface OpenSpan {
  /** For whatever goes on in another process. */
  readonly traceParent: string;
  /** For the log: trace_id, span_id. */
  readonly logFields: LogFields;
  /** Opens a span that is a part of this one. */
  part(name: string, attributes?: SpanAttributes): OpenSpan;
  /** Spans opened within `work`, however asynchronous, are parts of this one. */
  run<T>(work: () => T): T;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** `error`: what went wrong, if anything did. */
  end(attributes?: SpanAttributes, error?: string): void;
}

/** Makes spans and sends them where the settings say. */
export interface Spans {
  open(options: SpanOptions): OpenSpan;
  /** The `traceparent` of the span in which this is asked, if in any. */
  active(): string | undefined;
  /** Sends what is left. Gives up after a while. */
  close(): Promise<void>;
}

/**
 * The traces of this process. Off unless the settings name a receiver: then there are no `spans`, nothing of OpenTelemetry
 * is loaded, and whoever could open one looks at this one field.
 */
@Injectable()
export class Tracing implements OnApplicationShutdown {
  constructor(readonly spans: Spans | undefined) {}

  /** After everything that may still open spans has stopped. */
  async onApplicationShutdown(): Promise<void> {
    await this.spans?.close();
  }
}

/** Has `work` run within the span, and ends the span as it ends. */
export async function within<T>(span: OpenSpan, work: () => Promise<T>): Promise<T> {
  try {
    const result = await span.run(work);
    span.end();
    return result;
  } catch (error) {
    span.end({}, error instanceof Error ? error.message : String(error));
    throw error;
  }
}
