import { invalid } from '../../platform/errors/app-error.js';

const LONGEST = 255;

/** The header `Idempotency-Key`, checked. @throws invalid `invalid_idempotency_key`. */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (header.length > 0 && header.length <= LONGEST) return header;
  throw invalid('invalid_idempotency_key', 'the Idempotency-Key is not acceptable', {
    fields: [
      {
        path: 'Idempotency-Key',
        message: 'has a length that is not acceptable',
        value: header,
        allowed: `1 to ${LONGEST} characters`,
      },
    ],
  });
}
