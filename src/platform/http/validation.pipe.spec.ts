import 'reflect-metadata';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Max,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { AppError } from '../errors/app-error.js';
import { InputValidationPipe } from './validation.pipe.js';

class Retry {
  @IsInt()
  @Min(1)
  attempts: number;
}

class Step {
  @IsOptional()
  @IsObject()
  params?: object;
}

class Input {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit?: number;

  @IsIn(['red', 'green'])
  colour: string;

  @IsOptional()
  @IsString({ each: true })
  @MinLength(2, { each: true })
  @ArrayMaxSize(3)
  roots?: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Retry)
  retry?: Retry;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Step)
  steps?: Step[];

  @IsOptional()
  @IsObject()
  notes?: object;
}

describe('InputValidationPipe', () => {
  const pipe = new InputValidationPipe();
  const parse = (value: unknown, type: 'body' | 'query' = 'body'): Promise<unknown> =>
    pipe.transform(value, { type, metatype: Input });

  async function refusal(value: unknown, type: 'body' | 'query' = 'body'): Promise<AppError> {
    const thrown: unknown = await parse(value, type).catch((error: unknown) => error);
    if (!(thrown instanceof AppError)) throw new Error('not refused');
    return thrown;
  }

  it('gives the parsed input', async () => {
    expect(await parse({ colour: 'red', limit: '7' }, 'query')).toEqual(
      Object.assign(new Input(), { colour: 'red', limit: 7 }),
    );
  });

  it('names every wrong field, what was sent and what would do', async () => {
    const { code, kind, message, fields } = await refusal({ limit: 'abc', colour: 'blue' }, 'query');
    expect({ code, kind, message }).toEqual({
      code: 'validation_failed',
      kind: 'invalid',
      message: '2 fields of the query parameters are not acceptable: limit, colour.',
    });
    expect(fields).toEqual([
      {
        path: 'limit',
        message: 'must be an integer number',
        value: 'abc',
        allowed: 'a whole number, at least 1, at most 500, may be left out',
      },
      {
        path: 'colour',
        message: 'must be one of the following values: red, green',
        value: 'blue',
        allowed: 'one of red, green',
      },
    ]);
  });

  it('says what is missing', async () => {
    const { fields } = await refusal({});
    expect(fields).toEqual([{ path: 'colour', message: 'is missing', value: undefined, allowed: 'one of red, green' }]);
  });

  it('lists the known fields where an unknown one was sent', async () => {
    const { fields } = await refusal({ colour: 'red', color: 'red' });
    expect(fields).toEqual([
      {
        path: 'color',
        message: 'is not a known field',
        value: 'red',
        allowed: 'one of colour, limit, notes, retry, roots, steps',
      },
    ]);
  });

  it('gives the path into nested objects and the rule of each entry of a list', async () => {
    const { fields } = await refusal({ colour: 'red', retry: { attempts: 0 }, roots: ['/photos', 'x'] });
    expect(fields).toMatchObject([
      { path: 'roots', allowed: 'each: text, each: at least 2 characters, at most 3 entries, may be left out' },
      { path: 'retry.attempts', message: 'must not be less than 1', value: 0, allowed: 'a whole number, at least 1' },
    ]);
  });

  it.each([[['1', '2']], [['5']], [{}], [{ toString: 1, valueOf: 1 }]])(
    'refuses %j where a number is due, which such a value cannot be made to',
    async (limit) => {
      for (const type of ['query', 'body'] as const) {
        const { fields } = await refusal({ colour: 'red', limit }, type);
        expect(fields).toMatchObject([{ path: 'limit', message: 'must be an integer number', value: limit }]);
      }
    },
  );

  it('names each entry of a list of objects that is none, and what else is wrong', async () => {
    const { fields } = await refusal({ steps: [{}, [], null, [{ odd: 1 }], 'a', { odd: 1 }, [[]]] });
    expect(fields).toEqual([
      { path: 'steps.1', message: 'must be an object, not a list', value: [], allowed: 'an object' },
      { path: 'steps.2', message: 'must be an object, not null', value: null, allowed: 'an object' },
      { path: 'steps.3', message: 'must be an object, not a list', value: [{ odd: 1 }], allowed: 'an object' },
      { path: 'steps.4', message: 'must be an object, not text', value: 'a', allowed: 'an object' },
      { path: 'steps.6', message: 'must be an object, not a list', value: [[]], allowed: 'an object' },
      expect.objectContaining({ path: 'colour', message: 'is missing' }),
      expect.objectContaining({ path: 'steps.5.odd', message: 'is not a known field' }),
    ]);
  });

  it('names the first twenty of many, and how many there are', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, nth) => [`odd${String(nth)}`, 1]));
    const { fields, message } = await refusal({ colour: 'red', ...unknown });
    expect(fields).toHaveLength(20);
    expect(message).toMatch(/^5000 fields of the body are not acceptable: odd0, .*, odd19 and 4980 more\.$/);
  });

  it('does so of more than a call takes arguments', async () => {
    const { fields, message } = await refusal({ colour: 'red', steps: Array(150_000).fill({ odd: 1 }) });
    expect([fields.length, message]).toEqual([20, expect.stringContaining('steps.19.odd and 149980 more')]);
  }, 120_000);

  it('refuses a list where an object is due', async () => {
    expect(await refusal([{ colour: 'red' }])).toMatchObject({
      message: 'The body must be a JSON object, not a list.',
    });
  });

  describe('of JSON of any shape', () => {
    const nested = (levels: number): unknown => JSON.parse(`${'{"a":['.repeat(levels / 2)}${']}'.repeat(levels / 2)}`);

    it('takes 500 levels in each field', async () => {
      const input = { colour: 'red', notes: nested(500), steps: [{ params: nested(500) }] };
      expect(await parse(input)).toMatchObject(input);
    });

    it.each([502, 2_000, 100_000])('refuses %s levels and says where', async (levels) => {
      const deep = nested(levels);
      const { code, message, fields } = await refusal({
        ...{ colour: deep, notes: deep, odd: deep, retry: { attempts: deep } },
        steps: [{}, { params: deep }, [deep]],
      });
      expect([code, message]).toEqual(['validation_failed', 'The input is nested too deeply: keep to 500 levels.']);
      expect(fields.map(({ path }) => path)).toEqual([
        ...['colour', 'notes', 'odd', 'retry.attempts', 'steps.1.params', 'steps.2'],
      ]);
      expect(fields[0]).toEqual({ path: 'colour', message: 'is nested too deeply', allowed: 'at most 500 levels' });
    });
  });

  describe('of names that every object inherits', () => {
    const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'prototype'];
    const withName = (name: string, value: unknown = 1): object =>
      JSON.parse(`{"${name}":${JSON.stringify(value)}}`) as object;

    it.each(NAMES)('knows no field %s', async (name) => {
      const own = withName(name);
      const { fields } = await refusal({
        ...{ limit: 0, colour: 'red', steps: [{}, own] },
        ...own,
        retry: { attempts: 1, ...own },
      });
      const known = 'one of colour, limit, notes, retry, roots, steps';
      expect(fields).toEqual(
        expect.arrayContaining([
          { path: name, message: 'is not a known field', value: 1, allowed: known },
          { path: `retry.${name}`, message: 'is not a known field', value: 1, allowed: 'one of attempts' },
          { path: `steps.1.${name}`, message: 'is not a known field', value: 1, allowed: 'one of params' },
          expect.objectContaining({ path: 'limit', value: 0 }),
        ]),
      );
      expect(fields).toHaveLength(4);
      expect((await refusal({ colour: 'red', ...own }, 'query')).fields).toHaveLength(1);
    });

    it.each(NAMES.filter((name) => name !== '__proto__'))('keeps %s in JSON of any shape', async (name) => {
      const free = { of: [withName(name, 'Ferrari'), withName(name, { of: 1 })], ...withName(name) };
      const { notes, steps } = (await parse({ colour: 'red', notes: free, steps: [{ params: free }] })) as Input;
      expect(JSON.stringify([notes, steps])).toBe(JSON.stringify([free, [{ params: free }]]));
    });

    it('refuses __proto__ in JSON of any shape', async () => {
      const { fields } = await refusal({ colour: 'red', notes: { a: [withName('__proto__')] } });
      expect(fields).toEqual([
        ...[
          {
            path: 'notes.a.0.__proto__',
            message: 'has a name that cannot be used',
            value: 1,
            allowed: 'any other name',
          },
        ],
      ]);
    });
  });

  it('makes instances of what classes describe, and of nothing else', async () => {
    const sent = { colour: 'red', retry: { attempts: 2 }, steps: [{ params: { a: [1] } }], roots: ['/photos'] };
    const parsed = (await parse(sent)) as Input;
    expect(parsed).toEqual(Object.assign(new Input(), sent));
    expect([parsed, parsed.retry, parsed.steps?.[0]].map((each) => each?.constructor)).toEqual([Input, Retry, Step]);
    expect((await refusal({ colour: 'red', steps: [[{ params: {} }]] })).code).toBe('validation_failed');
  });
});
