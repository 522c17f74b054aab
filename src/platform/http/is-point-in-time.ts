import { isISO8601, ValidateBy } from 'class-validator';
import { timeOf } from './time-of.js';

/**
 * A date, or a date and time, that JavaScript reads as well: ISO 8601 also has weeks, ordinal days and dates without hyphens,
 * of which `new Date` makes nothing. Named as the rule that it narrows, so that refusals say the same.
 */
export const IsPointInTime = (): PropertyDecorator =>
  ValidateBy({
    name: 'isIso8601',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && isISO8601(value, { strict: true }) && !Number.isNaN(timeOf(value)?.getTime()),
      defaultMessage: () => 'must be a date and time such as 2026-01-31T08:00:00Z',
    },
  });
