/** Where in which trace something happens. */
export interface TracePosition {
  readonly traceId: string;
  readonly spanId: string;
  /** Bit 0: it is recorded. */
  readonly traceFlags: number;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header: later versions may have more fields, version ff is none. */
const TRACE_PARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined for what is no `traceparent`: then a trace begins. */
export function parseTraceParent(text: string): TracePosition | undefined {
  const [, version, traceId, spanId, flags, more] = TRACE_PARENT.exec(text.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

export const formatTraceParent = ({ traceId, spanId, traceFlags }: TracePosition): string =>
  `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`;
