/** A route of an HTTP API, as far as matching goes. */
export interface RoutePattern {
  /** `GET /v1/products/{productId}`, `ANY /{proxy+}` or `$default`. */
  readonly routeKey: string;
}

export interface RouteMatch<Route> {
  readonly route: Route;
  /** Values as they stand in the decoded path. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Chooses the route that API Gateway would choose: the most specific path (literal segments before variables before
 * a greedy variable, from left to right), then a named method before ANY, then `$default`.
 * @param path percent-decoded, as API Gateway matches it
 */
export function matchRoute<Route extends RoutePattern>(
  routes: readonly Route[],
  method: string,
  path: string,
): RouteMatch<Route> | undefined {
  const segments = path.split('/');
  let best: { match: RouteMatch<Route>; rank: string } | undefined;
  for (const route of routes) {
    if (route.routeKey === '$default') continue;
    const [routeMethod, pattern] = route.routeKey.split(' ') as [string, string];
    if (routeMethod !== method && routeMethod !== 'ANY') continue;
    const found = matchPath(pattern, segments);
    if (!found) continue;
    const rank = `${found.rank}${routeMethod === 'ANY' ? 'b' : 'a'}`;
    if (!best || rank < best.rank) best = { match: { route, parameters: found.parameters }, rank };
  }
  if (best) return best.match;
  const fallback = routes.find(({ routeKey }) => routeKey === '$default');
  return fallback && { route: fallback, parameters: {} };
}

interface Segment {
  readonly text: string;
  /** Of a variable. */
  readonly name: string | undefined;
  readonly greedy: boolean;
}

const patterns = new Map<string, readonly Segment[]>();

/** Patterns are few and matched with every request: each is read once. */
function segmentsOf(pattern: string): readonly Segment[] {
  let segments = patterns.get(pattern);
  if (!segments) {
    segments = pattern.split('/').map((text) => {
      const variable = /^\{([^}+]+)(\+?)\}$/.exec(text);
      return { text, name: variable?.[1], greedy: variable?.[2] === '+' };
    });
    patterns.set(pattern, segments);
  }
  return segments;
}

/** `rank` orders matches of the same path as text: one letter a segment, the more specific the lower. */
function matchPath(
  pattern: string,
  actual: readonly string[],
): { parameters: Record<string, string>; rank: string } | undefined {
  const expected = segmentsOf(pattern);
  const parameters: Record<string, string> = {};
  let rank = '';
  for (let index = 0; index < expected.length; index++) {
    const { text, name, greedy } = expected[index]!;
    const value = actual[index];
    if (name !== undefined && greedy) {
      const rest = actual.slice(index).join('/');
      if (rest === '') return undefined;
      parameters[name] = rest;
      return { parameters, rank: `${rank}c` };
    }
    if (value === undefined) return undefined;
    if (name !== undefined) {
      if (value === '') return undefined;
      parameters[name] = value;
      rank += 'b';
    } else if (text === value) {
      rank += 'a';
    } else {
      return undefined;
    }
  }
  return expected.length === actual.length ? { parameters, rank } : undefined;
}
