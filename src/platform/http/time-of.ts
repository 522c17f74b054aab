const HAS_TIME = /[T ]\d/i;
const HAS_ZONE = /(z|[+-]\d\d:?\d\d)$/i;

/**
 * A time of a request, where there is one: left out and null are none. Without a zone it is UTC, as a date without a time is:
 * JavaScript would take it for the local time of whichever server is asked.
 */
export const timeOf = (text: string | null | undefined): Date | undefined =>
  text === undefined || text === null
    ? undefined
    : new Date(HAS_TIME.test(text) && !HAS_ZONE.test(text) ? `${text}Z` : text);
