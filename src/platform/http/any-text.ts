const KEY = 'photosafe:any-text';

/**
 * On a property of a body whose endpoint looks itself for text that the database cannot hold, because it leaves that out
 * or refuses it with a code of its own. Everywhere else {@link InputValidationPipe} refuses such text.
 */
export const AnyText = (): PropertyDecorator => (prototype, property) => {
  const type = prototype.constructor;
  Reflect.defineMetadata(KEY, [...propertiesOfAnyText(type), property], type);
};

export const propertiesOfAnyText = (type: object | undefined): readonly (string | symbol)[] =>
  type === undefined ? [] : ((Reflect.getMetadata(KEY, type) as (string | symbol)[] | undefined) ?? []);
