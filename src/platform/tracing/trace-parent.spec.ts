import { formatTraceParent, parseTraceParent } from './trace-parent.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('is read and written as W3C has it', () => {
    const position = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual(position);
    expect(formatTraceParent(position)).toBe(`00-${TRACE}-${SPAN}-01`);
    expect(formatTraceParent({ ...position, traceFlags: 0 })).toBe(`00-${TRACE}-${SPAN}-00`);
  });

  it('may have more fields and flags in versions to come', () => {
    expect(parseTraceParent(`01-${TRACE}-${SPAN}-03-more`)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1 });
  });

  it.each([
    '',
    'hello',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
  ])('%j is none', (text) => {
    expect(parseTraceParent(text)).toBeUndefined();
  });
});
