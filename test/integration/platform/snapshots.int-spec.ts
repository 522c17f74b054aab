import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sqlOver } from '../../../src/platform/cli/sql-over-url.js';
import { configurationMarkdown } from '../../../src/platform/config/configuration-markdown.js';
import { dumpSchema } from '../../../src/platform/database/schema-dump.js';
import { PROJECT_ROOT } from '../../support/child.js';
import { createTestDatabase } from '../../support/test-database.js';

// When one of these fails the code has changed and the page has not: run `npm run snapshots`, and commit what it writes.
describe('the generated pages in docs/', () => {
  const page = (name: string): Promise<string> => readFile(join(PROJECT_ROOT, 'docs', name), 'utf8');

  it('schema.sql is what the migrations make (else: npm run snapshots)', async () => {
    const database = await createTestDatabase();
    try {
      expect(await sqlOver(database.url, dumpSchema)).toBe(await page('schema.sql'));
    } finally {
      await database.drop();
    }
  });

  it('configuration.md is what the settings say (else: npm run snapshots)', async () => {
    expect(configurationMarkdown()).toBe(await page('configuration.md'));
  });
});
