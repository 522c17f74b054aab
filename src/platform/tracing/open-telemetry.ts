import {
  context,
  diag,
  type DiagLogger,
  DiagLogLevel,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { Logger } from '@nestjs/common';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../config/settings.js';
import type { LogFields } from '../logging/log-context.js';
import type { OpenSpan, SpanAttributes, SpanOptions, Spans } from './tracing.js';
import { formatTraceParent, parseTraceParent } from './trace-parent.js';

/** A receiver that is away must not hold up a process that ends; what it was not told in this time is lost. */
const CLOSE_WITHIN_MS = 3_000;
/** Spans that wait to be sent: at 10,000 attempts a second and one batch a second under way. The rest is dropped, and counted. */
const MOST_WAITING = 20_000;
const BATCH = 2_000;
const SEND_EVERY_MS = 1_000;
const COMPLAIN_EVERY_MS = 60_000;

const KINDS = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/**
 * OpenTelemetry's SDK, told everything by our settings. It is the process's own as well: a handler that opens spans with
 * `@opentelemetry/api` has them within its attempt's.
 */
export class OpenTelemetrySpans implements Spans {
  private readonly tracer = this.provider.getTracer('photosafe');

  static async sendingTo(url: string, settings: Settings): Promise<OpenTelemetrySpans> {
    diag.setLogger(new Complaints(), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    const exporter = await exporterFor(url, settings);
    const own = resourceFromAttributes({
      'host.name': hostname(),
      'process.pid': process.pid,
      ...settings.otelResourceAttributes,
      'service.name': settings.otelServiceName,
    });
    const processor = new BatchSpanProcessor({
      exporter,
      maxQueueSize: MOST_WAITING,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: SEND_EVERY_MS,
    });
    const provider = new TracerProvider({
      resource: defaultResource().merge(own),
      sampler: samplerFor(settings),
      spanProcessors: [processor],
    });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
    return new OpenTelemetrySpans(provider);
  }

  private constructor(private readonly provider: TracerProvider) {}

  open({ name, kind, attributes, parent, startedAt: startTime }: SpanOptions): OpenSpan {
    const remote = typeof parent === 'string' ? parseTraceParent(parent) : undefined;
    const within =
      remote === undefined ? context.active() : trace.setSpanContext(context.active(), { ...remote, isRemote: true });
    const root = parent === null || (parent !== undefined && remote === undefined);
    const options = { kind: KINDS[kind], attributes, root, startTime };
    return new RecordedSpan(this.tracer.startSpan(name, options, within), this.tracer);
  }

  active(): string | undefined {
    const position = trace.getActiveSpan()?.spanContext();
    return position === undefined ? undefined : formatTraceParent(position);
  }

  async close(): Promise<void> {
    const closed = this.provider.shutdown().catch(() => undefined); // the exporter has complained
    await Promise.race([closed, sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]);
    trace.disable();
    context.disable();
    diag.disable();
  }
}

class RecordedSpan implements OpenSpan {
  constructor(
    private readonly span: Span,
    private readonly tracer: Tracer,
  ) {}

  get traceParent(): string {
    return formatTraceParent(this.span.spanContext());
  }

  get logFields(): LogFields {
    const { traceId, spanId } = this.span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  part(name: string, attributes: SpanAttributes = {}): OpenSpan {
    const within = trace.setSpan(context.active(), this.span);
    return new RecordedSpan(this.tracer.startSpan(name, { attributes }, within), this.tracer);
  }

  run<T>(work: () => T): T {
    return context.with(trace.setSpan(context.active(), this.span), work);
  }

  rename(name: string): void {
    this.span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  end(attributes: SpanAttributes = {}, error?: string): void {
    this.span.setAttributes(attributes);
    if (error !== undefined) this.span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    this.span.end();
  }
}

async function exporterFor(url: string, { otlpProtocol, otlpHeaders }: Settings): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    otlpProtocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url, headers: { ...otlpHeaders } });
}

function samplerFor({ otelTracesSampler, otelTracesSamplerArg }: Settings): Sampler {
  const rule = otelTracesSampler.replace('parentbased_', '');
  const root =
    rule === 'always_on'
      ? new AlwaysOnSampler()
      : rule === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(otelTracesSamplerArg);
  return rule === otelTracesSampler ? root : new ParentBasedSampler({ root });
}

/** What the SDK complains of goes into our log, and not once a second while the receiver is away. */
class Complaints implements DiagLogger {
  private readonly logger = new Logger('Tracing');
  private quietUntilMs = 0;

  readonly error = (message: string): void => {
    this.tell(message);
  };
  readonly warn = this.error;
  readonly info = (): void => undefined;
  readonly debug = this.info;
  readonly verbose = this.info;

  private tell(reason: string): void {
    if (performance.now() < this.quietUntilMs) return;
    this.quietUntilMs = performance.now() + COMPLAIN_EVERY_MS;
    this.logger.warn({ message: 'traces are not sent', reason });
  }
}
