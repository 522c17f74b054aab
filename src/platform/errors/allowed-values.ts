import { getMetadataStorage } from 'class-validator';

/** A validator as class-validator stores it: `name` is that of its decorator in camelCase. */
interface Rule {
  readonly name: string;
  readonly constraints: readonly unknown[];
  readonly each: boolean;
  readonly context: unknown;
}

type Describe = (constraints: readonly unknown[]) => string | undefined;

const listed = (values: readonly unknown[]): string => `one of ${values.map(String).join(', ')}`;
const fixed = (text: string) => (): string => text;

/** What each validator lets through, in words. Those not listed say nothing unless their `context.allowed` does. */
const DESCRIPTIONS: Readonly<Record<string, Describe>> = {
  isInt: fixed('a whole number'),
  isNumber: fixed('a number'),
  isNumberString: fixed('a number'),
  isPositive: fixed('above 0'),
  min: ([limit]) => `at least ${String(limit)}`,
  max: ([limit]) => `at most ${String(limit)}`,
  minDate: ([limit]) => `not before ${shownDate(limit)}`,
  maxDate: ([limit]) => `not after ${shownDate(limit)}`,
  isString: fixed('text'),
  isNotEmpty: fixed('not empty'),
  isBoolean: fixed('true or false'),
  isIn: ([values]) => (Array.isArray(values) ? listed(values) : undefined),
  isEnum: ([, values]) => (Array.isArray(values) ? listed(values) : undefined),
  isUuid: fixed('a UUID'),
  isLength: ([min, max]) => `${String(min)} to ${typeof max === 'number' ? max : 'any number of'} characters`,
  minLength: ([min]) => `at least ${String(min)} characters`,
  maxLength: ([max]) => `at most ${String(max)} characters`,
  matches: ([pattern]) => `text that matches ${String(pattern)}`,
  isArray: fixed('a list'),
  arrayNotEmpty: fixed('at least 1 entry'),
  arrayMinSize: ([min]) => `at least ${String(min)} entries`,
  arrayMaxSize: ([max]) => `at most ${String(max)} entries`,
  arrayUnique: fixed('no entry twice'),
  isIso8601: fixed('an ISO 8601 date and time, UTC without a zone'), // IsPointInTime goes by this name
  isDateString: fixed('an ISO 8601 date and time'),
  isRFC3339: fixed('an RFC 3339 date and time'),
  isDate: fixed('a date and time'),
  isUrl: fixed('a URL'),
  isObject: fixed('an object'),
  isLatitude: fixed('a latitude, -90 to 90'),
  isLongitude: fixed('a longitude, -180 to 180'),
};

/**
 * What would do for a field, put together from all its validators: "a whole number, at least 1, at most 500".
 * Undefined where the validators have nothing to say.
 */
export function allowedFor(target: object | undefined, property: string): string | undefined {
  const rules = rulesOf(target).filter(({ propertyName }) => propertyName === property);
  const words = rules.map(describe).filter((text) => text !== undefined);
  const optional = rules.some(({ name }) => name === 'isOptional') ? ['may be left out'] : [];
  return words.length === 0 ? undefined : [...new Set([...words, ...optional])].join(', ');
}

/** The fields that a class knows: what is allowed where an unknown one was sent. */
export function knownFields(target: object | undefined): string | undefined {
  const names = [...new Set(rulesOf(target).map(({ propertyName }) => propertyName))].sort();
  return names.length === 0 ? undefined : listed(names);
}

/** Whether every object has a member of this name: looking it up finds something although nobody sent it. */
export const isInherited = (name: string): boolean => name in Object.prototype;

function rulesOf(target: object | undefined): readonly (Rule & { propertyName: string })[] {
  if (target === undefined) return [];
  const metadata = getMetadataStorage().getTargetValidationMetadatas(target.constructor, '', false, false);
  // Stored outermost decorator last; read in the order in which they are written.
  return metadata.reverse().map(({ name, type, constraints, each, context, propertyName }) => ({
    name: name ?? type,
    constraints: Array.isArray(constraints) ? constraints : [],
    each,
    context: context as unknown,
    propertyName,
  }));
}

function describe({ name, constraints, each, context }: Rule): string | undefined {
  const text = contextAllowed(context) ?? DESCRIPTIONS[name]?.(constraints);
  return text === undefined || !each ? text : `each: ${text}`;
}

/** `@Validate(…, { context: { allowed: '…' } })` says it for validators of our own. */
const contextAllowed = (context: unknown): string | undefined =>
  typeof context === 'object' && context !== null && 'allowed' in context ? String(context.allowed) : undefined;

const shownDate = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));
