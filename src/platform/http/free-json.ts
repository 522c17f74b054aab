import type { Type } from '@nestjs/common';
import { type ClassTransformOptions, plainToInstance } from 'class-transformer';
import { getMetadataStorage } from 'class-validator';
import { createRequire } from 'node:module';
import { isInherited } from '../errors/allowed-values.js';
import { isNested } from '../values/nested.js';

/** class-transformer keeps to itself which class a property has; @nestjs/swagger reads it here, too. */
const { defaultMetadataStorage: transforms } = createRequire(import.meta.url)('class-transformer/cjs/storage') as {
  defaultMetadataStorage: {
    findTypeMetadata(of: Type, property: string): { readonly typeFunction?: () => unknown } | undefined;
  };
};

/** JSON within an input whose shape no class describes, and where it stands. */
export interface FreeJson {
  readonly path: string;
  readonly value: object;
}

/** A field that the class does not know. */
export interface UnknownField {
  readonly path: string;
  readonly of: Type;
}

/** An entry of a list of objects that is none. */
export interface MisplacedEntry {
  readonly path: string;
  readonly value: unknown;
}

/** What the classes of an input do not describe, each in the order in which it stands. */
export interface Undescribed {
  /** The outermost objects and lists that no class describes. */
  readonly free: readonly FreeJson[];
  /** Fields that no rule knows and every object inherits, such as `constructor`: class-transformer leaves them out. */
  readonly inherited: readonly UnknownField[];
  /** class-validator takes a list in a list of objects for fine. */
  readonly misplaced: readonly MisplacedEntry[];
}

export function undescribedIn(input: object, type: Type): Undescribed {
  const free: FreeJson[] = [];
  const inherited: UnknownField[] = [];
  const misplaced: MisplacedEntry[] = [];
  walk(
    input,
    { type },
    {
      free: (path, value) => {
        free.push({ path, value });
      },
      field: (path, key, of) => {
        const isKnown = (): boolean => rulesOf(of).some(({ propertyName }) => propertyName === key);
        if (isInherited(key) && !isKnown()) inherited.push({ path, of });
      },
      entry: (path, value) => {
        if (!isNested(value) || Array.isArray(value)) misplaced.push({ path, value });
      },
    },
  );
  return { free, inherited, misplaced };
}

/** An instance of the class. JSON that no class describes stays as it was sent, whatever its fields are called. */
export function toInstance<Instance>(type: Type<Instance>, input: unknown, options?: ClassTransformOptions): Instance {
  if (!isNested(input)) return plainToInstance(type, input, options);
  const described = walk(input, { type }, {});
  const instance = plainToInstance(type, described, options);
  if (isNested(instance)) putBack(instance, input, described);
  return instance;
}

interface Visitor {
  /** JSON that no class describes. */
  readonly free?: (path: string, value: object) => void;
  readonly field?: (path: string, key: string, of: Type) => void;
  /** An entry of a list of objects that a class describes. */
  readonly entry?: (path: string, value: unknown) => void;
}

/** What is walked, and where it stands. */
interface Described {
  readonly type: Type;
  readonly path?: string;
}

/** Gives a copy of all that classes describe. Where they describe nothing it has undefined, which nothing converts. */
function walk(input: object, { type, path: parent = '' }: Described, visitor: Visitor): object {
  const visit = (value: unknown, inner: Type | undefined, path: string): unknown => {
    if (!isNested(value)) return value;
    if (inner !== undefined && !Array.isArray(value)) return walk(value, { type: inner, path }, visitor);
    visitor.free?.(path, value);
    return undefined;
  };
  return Object.fromEntries(
    Object.entries(input).map(([key, value]: [string, unknown]) => {
      const path = parent === '' ? key : `${parent}.${key}`;
      visitor.field?.(path, key, type);
      const inner = classOf(type, key);
      const isList = inner !== undefined && Array.isArray(value);
      const copy = isList
        ? value.map((entry, index) => {
            const at = `${path}.${String(index)}`;
            visitor.entry?.(at, entry);
            return visit(entry, inner, at);
          })
        : visit(value, inner, path);
      return [key, copy];
    }),
  );
}

/** What class-transformer leaves out, such as a field `constructor`, is not put back either. */
function putBack(instance: object, sent: object, described: object): void {
  for (const [key, value] of Object.entries(sent) as [string, unknown][]) {
    if (!isNested(value) || !Object.hasOwn(instance, key)) continue;
    const copy: unknown = Reflect.get(described, key);
    const made: unknown = Reflect.get(instance, key);
    if (!isNested(copy)) Reflect.set(instance, key, value);
    else if (isNested(made)) putBack(made, value, copy);
  }
}

/** Where JSON of any shape has a field `__proto__`: copying it would change what the copy inherits. */
export function prototypesIn({ path, value }: FreeJson): string[] {
  const found: string[] = [];
  const waiting: FreeJson[] = [{ path, value }];
  for (const outer of waiting) {
    for (const [key, inner] of Object.entries(outer.value) as [string, unknown][]) {
      const at = `${outer.path}.${key}`;
      if (key === '__proto__') found.push(at);
      if (isNested(inner)) waiting.push({ path: at, value: inner });
    }
  }
  return found;
}

/** The class whose rules an object in this property follows, and each object in a list there. */
function classOf(type: Type, property: string): Type | undefined {
  const found = transforms.findTypeMetadata(type, property)?.typeFunction?.();
  return typeof found === 'function' && rulesOf(found as Type).length > 0 ? (found as Type) : undefined;
}

const rulesOf = (type: Type) => getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
