import { validate } from 'class-validator';
import { MaxLength } from './max-length.js';

class Named {
  @MaxLength(3)
  name: unknown;

  @MaxLength(3, { each: true })
  others: unknown[] = [];
}

const constraintsOf = async (fields: Partial<Named>): Promise<unknown> =>
  (await validate(Object.assign(new Named(), { name: '', ...fields }))).map(({ constraints }) => constraints);

describe('MaxLength', () => {
  it.each(['', 'abc', '🏔🏔🏔', '❤️a'])('lets %p through', async (name) => {
    expect(await constraintsOf({ name, others: [name, name] })).toEqual([]);
  });

  it.each(['abcd', '🏔🏔🏔🏔', '❤️❤️', 3, undefined, ['a']])('refuses %p', async (name) => {
    expect(await constraintsOf({ name })).toEqual([{ maxLength: 'must be shorter than or equal to 3 characters' }]);
  });
});
