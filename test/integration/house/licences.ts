/** May be shipped with an Apache-2.0 product without further conditions than keeping their notices. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/**
 * Copyleft by file or by library: fine as separate, replaceable packages that we do not change, one by one, each with its
 * place in NOTICE.
 */
const WEAK_COPYLEFT = new Set(['LGPL-2.1-or-later', 'LGPL-3.0', 'LGPL-3.0-only', 'LGPL-3.0-or-later', 'MPL-2.0']);

export type Verdict = 'permissive' | 'needs-notice' | 'refused';

/**
 * Judges an SPDX expression: by the worst part where AND joins them, by the best where only OR does. A mixture counts as
 * all AND, which errs on the side of refusing.
 */
export function judgeLicence(expression: string): Verdict {
  const parts = expression.replaceAll(/[()]/g, '').split(/ (?:AND|OR) /);
  const verdicts = new Set(parts.map(judgeOne));
  const bestFirst = ['permissive', 'needs-notice', 'refused'] as const;
  const order = expression.includes(' AND ') ? bestFirst.toReversed() : bestFirst;
  return order.find((verdict) => verdicts.has(verdict)) ?? 'refused';
}

function judgeOne(licence: string): Verdict {
  if (PERMISSIVE.has(licence)) return 'permissive';
  return WEAK_COPYLEFT.has(licence) ? 'needs-notice' : 'refused';
}
