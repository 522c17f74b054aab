import { IsInt, IsOptional, IsString, Max } from 'class-validator';
import { defineTask } from './define-task.js';
import { fixed } from './retry-policy.js';
import { inputFields, parseTaskInput, upgradeParams } from './task-input.js';

class ResizeInput {
  @IsInt() @Max(10) size: number;
  @IsOptional() @IsString() note?: string;
}

class NoInput {
  readonly nothing?: never;
}

const policy = { title: 'Test', retry: { attempts: 1, backoff: fixed(1) }, timeoutMs: 1_000 };
const resize = defineTask({
  ...policy,
  name: 'resize',
  version: 3,
  input: ResizeInput,
  upgrade: { 1: (old) => ({ width: old.w }), 2: (old) => ({ size: old.width }) },
});
const sweep = defineTask({ ...policy, name: 'sweep', version: 1, input: NoInput });

function refusal(params: unknown, definition: Parameters<typeof parseTaskInput>[0] = resize): unknown {
  try {
    return parseTaskInput(definition, params);
  } catch (error) {
    const { kind, code, fields } = error as { kind: string; code: string; fields: { path: string }[] };
    return { kind, code, paths: fields.map(({ path }) => path) };
  }
}

describe('the input of a task', () => {
  it('becomes an instance of its class', () => {
    const input = parseTaskInput(resize, { size: 3, note: 'x' });
    expect(input).toBeInstanceOf(ResizeInput);
    expect(input).toEqual({ size: 3, note: 'x' });
    expect(parseTaskInput(sweep, {})).toEqual({});
  });

  it.each<[string, unknown, string[]]>([
    ['a missing field', {}, ['params.size']],
    ['a value out of range', { size: 11 }, ['params.size']],
    ['a number as text', { size: '3' }, ['params.size', 'params.size']],
    ['a field that does not exist', { size: 1, sise: 2 }, ['params.sise']],
    ...['constructor', 'toString', 'hasOwnProperty', 'valueOf'].map((name): [string, unknown, string[]] => [
      `a field that every object inherits, ${name},`,
      { size: 11, [name]: 1 },
      [`params.${name}`, 'params.size'],
    ]),
    ['null', null, ['params']],
    ['text', 'size', ['params']],
    ['a list', [1], ['params']],
    ['a new prototype', JSON.parse('{"size": 1, "__proto__": {"note": 7}}'), ['params']],
  ])('is refused with %s', (_what, params, paths) => {
    expect(refusal(params)).toEqual({ kind: 'invalid', code: 'invalid_task_input', paths });
  });

  it('is refused with what would do instead', () => {
    const allowedIn = (params: object, definition = resize): unknown => {
      try {
        return parseTaskInput(definition, params);
      } catch (error) {
        return (error as { fields: { allowed?: string }[] }).fields.map(({ allowed }) => allowed);
      }
    };
    expect(allowedIn({ size: 1, sise: 2 })).toEqual(['one of note, size']);
    expect(allowedIn({ size: 11 })).toEqual(['a whole number, at most 10']);
    expect(allowedIn({ force: true }, sweep as unknown as typeof resize)).toEqual(['no fields at all']);
  });

  it('that misses a field is told so, and what would do', () => {
    const missing = {
      path: 'params.size',
      message: 'is missing',
      value: undefined,
      allowed: 'a whole number, at most 10',
    };
    expect(() => parseTaskInput(resize, {})).toThrow(expect.objectContaining({ fields: [missing] }) as Error);
  });

  it('is refused with anything at all where none is wanted', () => {
    expect(refusal({ force: true }, sweep)).toMatchObject({ paths: ['params.force'] });
    expect(refusal({ constructor: 1 }, sweep)).toMatchObject({ paths: ['params.constructor'] });
  });

  it('is brought up to date version by version', () => {
    expect(upgradeParams(resize, 1, { w: 5 })).toEqual({ size: 5 });
    expect(upgradeParams(resize, 2, { width: 5 })).toEqual({ size: 5 });
    expect(upgradeParams(resize, 3, { size: 5 })).toEqual({ size: 5 });
  });

  it('names its fields', () => {
    expect(inputFields(resize)).toEqual(['note', 'size']);
    expect(inputFields(sweep)).toEqual([]);
  });
});
