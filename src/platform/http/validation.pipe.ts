import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import { instanceToPlain } from 'class-transformer';
import type { ValidationError } from 'class-validator';
import { unstorableTexts } from '../database/unstorable-text.js';
import { type FieldError, invalid } from '../errors/app-error.js';
import { allowedFor, knownFields } from '../errors/allowed-values.js';
import { propertiesOfAnyText } from './any-text.js';
import { isDeeperThan, isNested } from '../values/nested.js';
import {
  type FreeJson,
  type MisplacedEntry,
  prototypesIn,
  toInstance,
  type Undescribed,
  undescribedIn,
} from './free-json.js';

const WHERE: Readonly<Partial<Record<ArgumentMetadata['type'], string>>> = {
  body: 'the body',
  query: 'the query parameters',
  param: 'the path',
};

/** Levels of nesting that JSON of any shape may have; what recurses over them stays far from the end of the stack. */
const MOST_LEVELS = 500;
/** More would not help whoever reads them. */
const MOST_NAMED = 20;

/** Parses bodies, queries and path parameters into their DTOs; a refusal names every wrong field and what would do. */
@Injectable()
export class InputValidationPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      transformerPackage: { plainToInstance: toInstance, classToPlain: instanceToPlain },
      validationError: { target: true }, // tells which class a field belongs to; it is not sent
      exceptionFactory: (errors) => errors,
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const isNoObject = value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value));
    if (metadata.type === 'body' && isNoObject) {
      throw invalid('validation_failed', `The body must be a JSON object, not ${kindOf(value)}.`);
    }
    const undescribed = undescribedOf(value, metadata);
    refuseDeep(undescribed.free);
    const fields = this.toValidate(metadata) ? unseenFields(undescribed) : [];
    let count = fields.length;
    const input = (await super.transform(value, metadata).catch((errors: unknown) => {
      if (!isValidationErrors(errors)) throw errors;
      const isNews = isNewsBeside(undescribed.misplaced);
      for (const { error, constraints, path } of brokenRules(errors)) {
        if (!isNews(path)) continue;
        count += 1;
        if (fields.length < MOST_NAMED) fields.push(fieldError(error, constraints, path));
      }
    })) as unknown;
    if (fields.length > 0) {
      const shown = fields.map((field) => ({ ...field, value: valueAt(value, field.path) }));
      throw invalid('validation_failed', summary(shown, WHERE[metadata.type] ?? 'the input', count), { fields: shown });
    }
    refuseUnstorable(value, metadata);
    return input;
  }

  /** Nothing is taken away silently: see {@link unseenFields}. */
  protected override stripProtoKeys(): void {
    // on purpose
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

/** Values of decorators of ours (`custom`) are no input. */
function undescribedOf(value: unknown, { type, metatype }: ArgumentMetadata): Undescribed {
  const isInput = type !== 'custom' && metatype !== undefined && isNested(value);
  return isInput ? undescribedIn(value, metatype) : { free: [], inherited: [], misplaced: [] };
}

/** Before anything recurses over it. The values are not sent back: they are what nobody can read. */
function refuseDeep(free: readonly FreeJson[]): void {
  const deep = free.filter(({ value }) => isDeeperThan(MOST_LEVELS, value));
  if (deep.length === 0) return;
  const fields = deep.slice(0, MOST_NAMED).map(({ path }) => ({
    path,
    message: 'is nested too deeply',
    allowed: `at most ${String(MOST_LEVELS)} levels`,
  }));
  throw invalid('validation_failed', `The input is nested too deeply: keep to ${String(MOST_LEVELS)} levels.`, {
    fields,
  });
}

/** Those that class-transformer leaves out, so that class-validator does not see them. */
function unseenFields({ free, inherited, misplaced }: Undescribed): FieldError[] {
  const ofClasses = inherited.map(({ path, of }) => ({
    ...{ path, message: 'is not a known field' },
    allowed: knownFields(of.prototype as object),
  }));
  const ofJson = free
    .flatMap(prototypesIn)
    .map((path) => ({ path, message: 'has a name that cannot be used', allowed: 'any other name' }));
  const entries = misplaced.map(({ path, value }) => ({
    ...{ path, message: `must be an object, not ${kindOf(value)}`, allowed: 'an object' },
  }));
  return [...entries, ...ofClasses, ...ofJson].slice(0, MOST_NAMED);
}

/** What class-validator says of such entries, and of what is in them, only confuses. */
function isNewsBeside(misplaced: readonly MisplacedEntry[]): (path: string) => boolean {
  const paths = new Set(misplaced.map(({ path }) => path));
  const isIn = (path: string): boolean => {
    const end = path.lastIndexOf('.');
    return paths.has(path) || (end > 0 && isIn(path.slice(0, end)));
  };
  return (path) => paths.size === 0 || !isIn(path);
}

/** After the rules of the DTO, which may have more to say. Values of decorators of ours (`custom`) are no input. */
function refuseUnstorable(value: unknown, { type, data, metatype }: ArgumentMetadata): void {
  if (type === 'custom') return;
  const fields = unstorableTexts(withoutProperties(value, propertiesOfAnyText(metatype)), data);
  if (fields.length > 0) throw invalid('validation_failed', summary(fields, WHERE[type] ?? 'the input'), { fields });
}

const withoutProperties = (value: unknown, properties: readonly (string | symbol)[]): unknown =>
  properties.length === 0 || typeof value !== 'object' || value === null
    ? value
    : Object.fromEntries(Object.entries(value).filter(([key]) => !properties.includes(key)));

interface BrokenRules {
  readonly error: ValidationError;
  readonly constraints: Record<string, string>;
  readonly path: string;
}

/** Flattens class-validator's tree: `roots.0` for the first of a list, `retry.attempts` for a nested field. There may be very many. */
function* brokenRules(errors: readonly ValidationError[], parent = ''): Generator<BrokenRules> {
  for (const error of errors) {
    const path = parent === '' ? error.property : `${parent}.${error.property}`;
    if (error.constraints !== undefined) yield { error, constraints: error.constraints, path };
    yield* brokenRules(error.children ?? [], path);
  }
}

function fieldError(error: ValidationError, constraints: Record<string, string>, path: string): FieldError {
  const value: unknown = error.value;
  if ('whitelistValidation' in constraints) {
    return { path, message: 'is not a known field', value, allowed: knownFields(error.target) };
  }
  const missing = value === undefined;
  return {
    path,
    message: missing ? 'is missing' : messageOf(constraints, error.property),
    value,
    allowed: allowedFor(error.target, error.property),
  };
}

/** A value of the wrong type also breaks every limit, which is no news. */
const TYPE_RULES = [
  'isInt',
  'isNumber',
  'isString',
  'isBoolean',
  'isArray',
  'isObject',
  'isDate',
  'isIso8601',
  'isUuid',
];

/** class-validator's messages begin with the property's name, which the field error already carries. */
function messageOf(constraints: Record<string, string>, property: string): string {
  const broken = Object.keys(constraints);
  const wrongTypes = broken.filter((rule) => TYPE_RULES.includes(rule));
  return (wrongTypes.length > 0 ? wrongTypes : broken)
    .map((rule) => constraints[rule] ?? '')
    .map((message) => (message.startsWith(`${property} `) ? message.slice(property.length + 1) : message))
    .join('; ');
}

/** `fields` are those that are named, of `count` altogether. */
function summary(fields: readonly FieldError[], where: string, count = fields.length): string {
  const more = count > fields.length ? ` and ${String(count - fields.length)} more` : '';
  const what = count === 1 ? 'One field' : `${String(count)} fields`;
  return `${what} of ${where} ${count === 1 ? 'is' : 'are'} not acceptable: ${fields.map(({ path }) => path).join(', ')}${more}.`;
}

/** The value as it was sent: `limit=abc` is NaN by the time that it is refused. */
const valueAt = (sent: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
      sent,
    );

const isValidationErrors = (thrown: unknown): thrown is ValidationError[] =>
  Array.isArray(thrown) && thrown.every((entry) => typeof entry === 'object' && entry !== null && 'property' in entry);
