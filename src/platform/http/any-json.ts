/**
 * What the API document says of a property that holds any JSON, null too. Without it would say `object`, and clients made
 * of it would refuse the rest.
 */
export const ANY_JSON = {
  oneOf: [
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'null' },
  ],
};
