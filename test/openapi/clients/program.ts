/** What the test hands to a program: where the server is, and what to call it with. */
export interface Given {
  url: string;
  /** A token that may create, list, get and revoke. */
  token: string;
  /** Whose token it is. */
  login: string;
}

export const given = JSON.parse(process.argv[2] ?? '{}') as Given;

/** Hands the test what the client gave back, step by step. */
export function report(steps: Record<string, unknown>): void {
  process.stdout.write(JSON.stringify(steps));
}

/** What an answer must have brought. */
export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('The answer brought nothing');
  return value;
}

/** For a generated SDK, which asks for each security scheme of an operation: the token for the one that takes it bare. */
export function bearer({ scheme }: { scheme?: string }): string | undefined {
  return scheme === 'bearer' ? given.token : undefined;
}
