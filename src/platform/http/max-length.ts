import { ValidateBy, type ValidationOptions } from 'class-validator';

/**
 * Like that of class-validator, whose name it has for the API document and for refusals, but for texts whose length the
 * database checks: both count characters of Unicode. class-validator leaves the second half of an emoji such as ❤️ out.
 */
export const MaxLength = (max: number, options?: ValidationOptions): PropertyDecorator =>
  ValidateBy(
    {
      name: 'maxLength',
      constraints: [max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && Array.from(value).length <= max,
        defaultMessage: () => `must be shorter than or equal to ${String(max)} characters`,
      },
    },
    options,
  );
