const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

export const EXPIRY_FORMS =
  'a duration (90m, 12h, 30d, 8w, 1y), a date (2027-01-31: to the end of that day, UTC), a time, or never';

/** When something given as "for 30 days" or "until that day" ends; null for never, undefined for what cannot be read. */
export function expiryFrom(text: string, now: Date): Date | null | undefined {
  const given = text.trim().toLowerCase();
  if (given === 'never') return null;
  const [, count, unit] = /^(\d{1,6})([mhdwy])$/.exec(given) ?? [];
  if (count !== undefined && unit !== undefined)
    return valid(new Date(now.getTime() + Number(count) * (UNIT_MS[unit] ?? Number.NaN)));
  if (/^\d{4}-\d{2}-\d{2}$/.test(given)) return valid(new Date(`${given}T23:59:59.999Z`));
  return /^\d{4}-\d{2}-\d{2}t/.test(given) ? valid(new Date(text.trim())) : undefined;
}

const valid = (date: Date): Date | undefined => (Number.isNaN(date.getTime()) ? undefined : date);
