import { SnakeCaseNaming, snakeCase } from './snake-case-naming.js';

describe('names in the database', () => {
  it.each([
    ['takenAt', 'taken_at'],
    ['SHA256Sum', 'sha256_sum'],
    ['HTTPServer', 'http_server'],
    ['already_snake', 'already_snake'],
    ['x', 'x'],
  ])('are made of %s as %s', (name, expected) => {
    expect(snakeCase(name)).toBe(expected);
  });

  it('are taken as given where an entity gives them', () => {
    const naming = new SnakeCaseNaming();
    expect([
      naming.tableName('TaskAttempt', undefined),
      naming.tableName('TaskAttempt', 'Odd'),
      naming.columnName('sizeBytes', '', []),
      naming.columnName('sizeBytes', 'Odd', []),
      naming.columnName('latitude', '', ['takenWhere']),
      naming.joinColumnName('ownPlace', 'id'),
    ]).toEqual(['task_attempt', 'Odd', 'size_bytes', 'Odd', 'taken_where_latitude', 'own_place_id']);
  });
});
