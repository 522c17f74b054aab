import { DefaultNamingStrategy } from 'typeorm';

/** Columns and tables are snake_case in the database; names given in an entity's decorators are taken as they are. */
export class SnakeCaseNaming extends DefaultNamingStrategy {
  override tableName(className: string, given: string | undefined): string {
    return given ?? snakeCase(className);
  }

  override columnName(property: string, given: string | undefined, embeddedPrefixes: string[]): string {
    // TypeORM passes '' or undefined for a column without a name, whatever its types say.
    const own = [given, snakeCase(property)].find(Boolean);
    return [...embeddedPrefixes.map(snakeCase), own].filter(Boolean).join('_');
  }

  override relationName(property: string): string {
    return snakeCase(property);
  }

  override joinColumnName(relation: string, referencedColumn: string): string {
    return `${snakeCase(relation)}_${snakeCase(referencedColumn)}`;
  }
}

/** 'takenAtUtc' → 'taken_at_utc', 'SHA256Sum' → 'sha256_sum'. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
