import { ArrayMaxSize, IsBoolean, IsIn, IsInt, IsOptional, IsUUID, Max, Min } from 'class-validator';
import { defineTask } from './define-task.js';
import { SchemaValidator } from './external/schema-validator.js';
import { inputSchemaOf } from './input-schema.js';
import { fixed } from './retry-policy.js';
import { parseTaskInput } from './task-input.js';

class CatalogInput {
  @IsUUID() catalog_id: string;
}

class ScanInput extends CatalogInput {
  @IsOptional() @IsInt({ each: true }) @Min(16, { each: true }) @ArrayMaxSize(2) sizes?: number[];
  @IsOptional() @IsInt() @Min(1) @Max(100) quality?: number;
  @IsOptional() @IsBoolean() force?: boolean;
  @IsIn(['fast', 'exact']) mode: string;
}

class NoInput {
  readonly nothing?: never;
}

const policy = { version: 1, title: 'Test', retry: { attempts: 1, backoff: fixed(1) }, timeoutMs: 1_000 };
const scan = defineTask({ ...policy, name: 'scan', input: ScanInput });
const sweep = defineTask({ ...policy, name: 'sweep', input: NoInput });

describe('the JSON Schema of an input', () => {
  it('says of each field what its rules say, those it inherits too', () => {
    expect(inputSchemaOf(scan)).toEqual({
      type: 'object',
      properties: {
        catalog_id: { type: 'string', format: 'uuid' },
        sizes: { type: 'array', items: { type: 'integer', minimum: 16 }, maxItems: 2 },
        quality: { type: 'integer', minimum: 1, maximum: 100 },
        force: { type: 'boolean' },
        mode: { type: 'string', enum: ['fast', 'exact'] },
      },
      required: ['mode', 'catalog_id'],
      additionalProperties: false,
    });
    expect(inputSchemaOf(sweep)).toEqual({ type: 'object', additionalProperties: false });
  });

  const catalog_id = '01a22f5f-5875-76b2-b48b-30a7d8ac5018';

  it.each([
    [{ catalog_id, mode: 'fast' }, true],
    [{ catalog_id, mode: 'fast', sizes: [16, 512], quality: 1, force: false }, true],
    [{ catalog_id }, false],
    [{ catalog_id, mode: 'slow' }, false],
    [{ catalog_id: 'x', mode: 'fast' }, false],
    [{ catalog_id, mode: 'fast', sizes: [15] }, false],
    [{ catalog_id, mode: 'fast', sizes: [16, 17, 18] }, false],
    [{ catalog_id, mode: 'fast', quality: 1.5 }, false],
    [{ catalog_id, mode: 'fast', froce: true }, false],
  ])('takes and refuses what the engine does: %j', (params, fits) => {
    const problems = new SchemaValidator(inputSchemaOf(scan)).problemsOf(params, 'params');
    const parse = (): unknown => parseTaskInput(scan, params);
    expect(problems.length === 0).toBe(fits);
    if (fits) expect(parse()).toEqual(params);
    else expect(parse).toThrow('is not valid');
  });
});
