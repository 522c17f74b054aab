import { createRequire } from 'node:module';
import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import type formats from 'ajv-formats';
import type { FieldError } from '../../platform/errors/app-error.js';
import { isTooDeep, TOO_DEEP } from './json-limits.js';
import { runBounded, TooCostlyError } from './run-bounded.js';
import { dialectOf, DRAFT_07, type JsonSchema } from './schema-rules.js';

/**
 * strict: a misspelt keyword or an unknown format is an error, not a rule that never applies. ownProperties: `required:
 * ["constructor"]` is not met by what every object inherits. Tuples may be open, and required fields described elsewhere, as
 * the standard has it.
 */
const OPTIONS: Options = {
  strict: true,
  strictTuples: false,
  strictRequired: false,
  allowUnionTypes: true,
  ownProperties: true,
  logger: false,
};

/** A larger value that is refused gets its first error only: all of them might be as many as its elements. */
const ALL_ERRORS_UP_TO_BYTES = 65_536;
const MOST_ERRORS = 20;
export const TOO_COSTLY = 'takes too long to check against the schema';

/** Checks values against one JSON Schema, in bounded time. */
export class SchemaValidator {
  private readonly validate: ValidateFunction;
  private thorough: ValidateFunction | undefined;

  /** @throws TooCostlyError, or ajv's Error, which says what is wrong with the schema. */
  constructor(private readonly schema: JsonSchema) {
    this.validate = compile(schema, false);
    runBounded(() => this.validate({})); // endless references show at the first value
  }

  /** What is wrong with `value`, each with its dotted path under `root`; nothing when it fits. */
  problemsOf(value: unknown, root: string): FieldError[] {
    if (isTooDeep(value)) return [{ path: root, message: TOO_DEEP }];
    try {
      if (runBounded(() => this.validate(value))) return [];
      const errors = this.allErrors(value) ?? this.validate.errors ?? [];
      return distinct(errors.slice(0, MOST_ERRORS).map((error) => fieldErrorOf(error, root)));
    } catch (error) {
      if (error instanceof TooCostlyError) return [{ path: root, message: TOO_COSTLY }];
      throw error;
    }
  }

  private allErrors(value: unknown): ErrorObject[] | undefined {
    if (Buffer.byteLength(JSON.stringify(value)) > ALL_ERRORS_UP_TO_BYTES) return undefined;
    const validate = (this.thorough ??= compile(this.schema, true));
    runBounded(() => validate(value));
    return validate.errors ?? undefined;
  }
}

/** What checks schemas themselves, for each dialect: takes a tenth of a second to make, and sees nothing but data. */
const metaSchemas = new Map<Dialect, Ajv | Ajv2020>();

type Dialect = typeof Ajv | typeof Ajv2020;

/** Loaded with the first schema: most processes, and all short commands, never see one. */
const require = createRequire(import.meta.url);

function dialectFor(schema: JsonSchema): Dialect {
  return dialectOf(schema) === DRAFT_07
    ? (require('ajv') as { Ajv: typeof Ajv }).Ajv
    : (require('ajv/dist/2020.js') as { Ajv2020: typeof Ajv2020 }).Ajv2020;
}

/** An instance for each schema: what one names can be neither seen nor replaced by another. */
function compile(schema: JsonSchema, allErrors: boolean): ValidateFunction {
  const Dialect = dialectFor(schema);
  const meta = metaSchemas.get(Dialect) ?? new Dialect(OPTIONS);
  metaSchemas.set(Dialect, meta);
  void meta.validateSchema({}); // compiles the dialect's own schema, the first time
  const ajv = new Dialect({ ...OPTIONS, allErrors, verbose: true, meta: false, validateSchema: false });
  (require('ajv-formats') as typeof formats).default(ajv);
  return runBounded(() => {
    void meta.validateSchema(schema, true);
    return ajv.compile(schema);
  });
}

function fieldErrorOf({ keyword, instancePath, message, params, data }: ErrorObject, root: string): FieldError {
  const details = params as Record<string, unknown>;
  const path = dotted(root, instancePath);
  if (keyword === 'required') return { path: `${path}.${String(details.missingProperty)}`, message: 'is missing' };
  const unknown = details.additionalProperty ?? details.unevaluatedProperty;
  if (typeof unknown === 'string') return { path: `${path}.${unknown}`, message: 'is not a known field' };
  return { path, message: message ?? `does not satisfy ${keyword}`, value: data, allowed: allowedOf(details) };
}

function allowedOf({ allowedValues, type, format }: Record<string, unknown>): string | undefined {
  if (Array.isArray(allowedValues)) return `one of ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}`;
  const wanted = type ?? format;
  return wanted === undefined ? undefined : [wanted].flat().map(String).join(' or ');
}

/** `/points/0/a~1b` as `params.points.0.a/b`. */
const dotted = (root: string, pointer: string): string =>
  [
    root,
    ...pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
  ].join('.');

const distinct = (errors: readonly FieldError[]): FieldError[] => [
  ...new Map(errors.map((error) => [`${error.path}\n${error.message}`, error])).values(),
];
