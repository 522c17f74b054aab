import type { OpenAPIObject } from '@nestjs/swagger';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/child.js';
import { photosafe } from '../support/photosafe.js';

// By the build: only that has the descriptions and types that the compiler takes out of the DTO classes.
it('docs/ says what the code says (else: npm run snapshots, and commit what it writes)', async () => {
  const { code, stdout, stderr } = await photosafe(['snapshots', '--check', '--json']);
  expect({ changed: stdout && (JSON.parse(stdout) as { changed: string[] }).changed, code, stderr }).toEqual({
    changed: [],
    code: 0,
    stderr: '',
  });
});

describe('docs/openapi.json', () => {
  let document: OpenAPIObject;

  beforeAll(async () => {
    document = JSON.parse(await readFile(join(PROJECT_ROOT, 'docs', 'openapi.json'), 'utf8')) as OpenAPIObject;
  });

  // The compiler takes `limit = 20` for a required Object: such a property needs its @ApiPropertyOptional({ type: … }).
  it('lets callers leave out every parameter that has a default, and knows its type', () => {
    const parameters = Object.entries(document.paths).flatMap(([path, { get }]) =>
      (get?.parameters ?? []).flatMap((parameter) =>
        'schema' in parameter && parameter.schema && 'default' in parameter.schema
          ? [{ at: `${path}?${parameter.name}`, required: parameter.required, type: parameter.schema.type }]
          : [],
      ),
    );
    expect(parameters.map(({ at }) => at)).toContain('/api/tasks?limit');
    expect(parameters.filter(({ required, type }) => required === true || type === undefined)).toEqual([]);
    expect(Object.keys(document.components?.schemas ?? {})).not.toContain('Object');
  });

  it.each(['CreateTaskDto', 'WorkflowNodeInputDto', 'DeclareTypeDto'])('has the priority of %s', (name) => {
    const priority = { minimum: -1_000, maximum: 1_000 };
    expect(document.components?.schemas?.[name]).toMatchObject({ properties: { priority } });
  });

  it('has the answers of a photo file to conditions and ranges', () => {
    const { responses } = document.paths['/api/images/{id}/original']?.get ?? {};
    expect(Object.keys(responses ?? {})).toEqual(expect.arrayContaining(['200', '206', '304', '416']));
  });
});
