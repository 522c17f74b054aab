/** A time of a request, where there is one: left out and null are none. */
export const timeOf = (text: string | null | undefined): Date | undefined =>
  text === undefined || text === null ? undefined : new Date(text);
