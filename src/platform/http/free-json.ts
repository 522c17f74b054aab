import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { createRequire } from 'node:module';

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

/** The outermost objects and lists of an input that no class describes, in the order in which they stand. */
export function freeJsonIn(input: unknown, type: Type, parent = ''): FreeJson[] {
  return Object.entries(input ?? {}).flatMap(([key, value]: [string, unknown]) => {
    const path = parent === '' ? key : `${parent}.${key}`;
    const inner = classOf(type, key);
    if (inner === undefined) return isNested(value) ? [{ path, value }] : [];
    if (!Array.isArray(value)) return isNested(value) ? freeJsonIn(value, inner, path) : [];
    return value.flatMap((entry: unknown, index) => {
      const at = `${path}.${String(index)}`;
      if (Array.isArray(entry)) return [{ path: at, value: entry }];
      return isNested(entry) ? freeJsonIn(entry, inner, at) : [];
    });
  });
}

/** Whether JSON has more levels of objects and lists than that. Goes level by level: it may be half a million deep. */
export function isDeeperThan(levels: number, value: object): boolean {
  let level = [value];
  for (let depth = 0; depth < levels && level.length > 0; depth += 1) {
    level = level.flatMap((each) => Object.values(each).filter(isNested));
  }
  return level.length > 0;
}

/** The class whose rules an object in this property follows, and each object in a list there. */
function classOf(type: Type, property: string): Type | undefined {
  const found = transforms.findTypeMetadata(type, property)?.typeFunction?.();
  return typeof found === 'function' && hasRules(found) ? (found as Type) : undefined;
}

const hasRules = (type: object): boolean =>
  getMetadataStorage().getTargetValidationMetadatas(type as Type, '', false, false).length > 0;

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;
