import type { Request } from 'express';

/** What Express's router keeps of a route; its published types know `match` not. */
interface Matcher {
  match(path: string): boolean;
}

/** The methods for which the request's path has a route: none for a path that does not exist. */
export function allowedMethods(request: Request): string[] {
  const path = request.baseUrl + request.path; // whole again: Nest's handler of unknown routes is mounted below a prefix
  const methods = request.app.router.stack
    .filter((layer) => layer.route !== undefined && isMatcher(layer) && matches(layer, path))
    .flatMap(({ route }) => (route?.stack ?? []).map(({ method }) => method.toUpperCase()));
  return [...new Set(methods)].sort();
}

const isMatcher = (layer: object): layer is Matcher => 'match' in layer && typeof layer.match === 'function';

/** A path with a broken percent escape matches nothing. */
function matches(layer: Matcher, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
