/** Promise.withResolvers, which Node 20 lacks. */
export function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
