/**
 * What callers may choose from. By name: a property whose `@Min` has a negative number in it is lost when the compiler
 * takes the API document out of the DTO classes.
 */
export const LOWEST_PRIORITY = -1_000;
export const HIGHEST_PRIORITY = 1_000;
