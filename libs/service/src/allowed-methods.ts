interface RoutePattern {
  readonly expression: RegExp;
  readonly methods: Set<string>;
}

/** Which methods a path takes, so that a wrong one is answered 405 with `Allow` and not 404. */
export class AllowedMethods {
  private readonly patterns = new Map<string, RoutePattern>();

  add(url: string, methods: string | readonly string[]): void {
    // The route of CORS preflights answers for every path and says nothing about any.
    if (url === '*') return;
    const pattern = this.patterns.get(url) ?? { expression: expressionOf(url), methods: new Set<string>() };
    for (const method of [methods].flat()) pattern.methods.add(method);
    this.patterns.set(url, pattern);
  }

  /** Sorted; empty for a path that no route has. */
  of(path: string): readonly string[] {
    const matching = [...this.patterns.values()].filter(({ expression }) => expression.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
  }
}

/** A route's pattern (`/payments/:paymentId`) as an expression. A wildcard is no route of its own here. */
const expressionOf = (url: string): RegExp => {
  const segments = url.split('/').map((segment) => {
    if (segment === '*') return '.+';
    return segment.startsWith(':') ? '[^/]+' : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${segments.join('/')}$`);
};
