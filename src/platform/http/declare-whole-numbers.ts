import { ApiProperty } from '@nestjs/swagger';
import { getMetadataStorage } from 'class-validator';

interface Rule {
  readonly name?: string;
  readonly propertyName: string;
  readonly each: boolean;
}

/**
 * Tells the API document of every `@IsInt()` in the classes that are loaded. Without, it would say `number`, and clients
 * made of it would send fractions, which are refused.
 */
export function declareWholeNumbers(): void {
  for (const [{ prototype }, rules] of rulesByClass()) {
    for (const { name, propertyName, each } of rules) {
      if (name === 'isInt') ApiProperty({ type: 'integer', isArray: each })(prototype, propertyName);
    }
  }
}

/** class-validator gives out the rules of a class that one knows; the list of classes it keeps to itself. */
const rulesByClass = (): ReadonlyMap<{ readonly prototype: object }, readonly Rule[]> =>
  Reflect.get(getMetadataStorage(), 'validationMetadatas') as ReadonlyMap<{ prototype: object }, readonly Rule[]>;
