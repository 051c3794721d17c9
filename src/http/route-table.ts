/** The methods of each path, for 405 and `Allow`: Fastify has no 405 of its own. */
export class RouteTable {
  private readonly routes: { segments: string[]; methods: Set<string> }[] = [];

  add(path: string, methods: string | string[]): void {
    // Two colons stand for one, which begins no parameter.
    const segments = segmentsOf(path.replaceAll('::', ':'));
    let route = this.routes.find((known) => known.segments.join('/') === segments.join('/'));
    if (!route) {
      route = { segments, methods: new Set() };
      this.routes.push(route);
    }
    for (const method of [methods].flat()) route.methods.add(method);
  }

  /** Every route: its pattern and methods. */
  all(): { path: string; methods: string[] }[] {
    return this.routes.map(({ segments, methods }) => ({
      path: `/${segments.join('/')}`,
      methods: [...methods].sort(),
    }));
  }

  /** The methods that a request's path has, sorted; none for an unknown path. */
  methodsOf(path: string): string[] {
    const segments = segmentsOf(path);
    const matching = this.routes.filter((route) => matches(route.segments, segments));
    return [...new Set(matching.flatMap((route) => [...route.methods]))].sort();
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function matches(pattern: string[], segments: string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => part.startsWith(':') || part === segments[index])
  );
}
