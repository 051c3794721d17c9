import { randomUUID } from 'node:crypto';
import type { Problem, ProblemError } from '../../native/problem.dto.js';
import { CommandError, EXIT, type ExitCode, usageError } from '../exit.js';
import { printable } from '../output/printable.js';

/** An answer class of the API as JSON has it: instants are texts. */
export type OnWire<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Item)[]
    ? OnWire<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: OnWire<Value[Key]> }
      : Value;

/** One page of a list. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export type Query = Record<string, string | number | boolean | null | undefined>;
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Call {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether the call issues something: it goes with an Idempotency-Key, and once more where no answer came. */
  isIssue?: boolean;
  /** Ends the call; default: a minute without the answer does. */
  signal?: AbortSignal;
}

interface Answer<Body> {
  status: number;
  headers: Headers;
  body: OnWire<Body>;
}

const TIMEOUT_MS = 60_000;
const MAX_PAGE = 1_000;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** An answer that is no success, or none at all. */
export class ApiFailure extends CommandError {
  /** @param answer what programs may go by; undefined where no answer came. */
  constructor(
    message: string,
    exitCode: ExitCode,
    details: readonly string[] = [],
    readonly answer?: {
      status: number;
      errors: readonly ProblemError[];
      /** Null where it does not say when to come again. */
      retryAfterSeconds: number | null;
    },
  ) {
    super(message, exitCode, details);
  }
}

/** Patois' own API of a running server. */
export class Api {
  private constructor(
    private readonly base: URL,
    private readonly headers: Record<string, string>,
  ) {}

  /**
   * @param authorization undefined for what needs no credential.
   * @throws {CommandError} for an address that is none.
   */
  static at(url: string, authorization: string | undefined, version: string): Api {
    const base = URL.canParse(url) ? new URL(url) : undefined;
    if (!base || !/^https?:$/.test(base.protocol) || base.username || base.search || base.hash) {
      throw usageError('The address of the server must be http:// or https://, without credentials or query');
    }
    return new Api(base, {
      ...(authorization === undefined ? {} : { authorization }),
      accept: 'application/json',
      'user-agent': `patois-cli/${version}`,
    });
  }

  /** Whether the credential goes over a network that others may listen on. */
  get isInTheClear(): boolean {
    return this.base.protocol === 'http:' && !LOOPBACK.test(this.base.hostname);
  }

  get origin(): string {
    return this.base.origin;
  }

  async get<Body>(path: string, query?: Query): Promise<OnWire<Body>> {
    return (await this.send<Body>('GET', path, query ? { query } : {})).body;
  }

  /** Pages of a list one after the other, of so many items in all. */
  async *pages<Item>(path: string, query: Query, limit: number): AsyncGenerator<Page<OnWire<Item>>> {
    let left = limit;
    let cursor: string | null = null;
    do {
      const asked: Query = { ...query, limit: Math.min(left, MAX_PAGE), cursor };
      const page: OnWire<Page<Item>> = await this.get<Page<Item>>(path, asked);
      yield page;
      left -= page.items.length;
      cursor = page.nextCursor;
    } while (cursor !== null && left > 0);
  }

  /** @throws {CommandError} for every answer that is no success, in the words of its problem details. */
  async send<Body>(method: Method, path: string, call: Call = {}): Promise<Answer<Body>> {
    const response = await this.ask(method, path, call);
    if (!response.ok) throw await errorOf(response);
    const text = await response.text();
    const body = (text === '' ? undefined : JSON.parse(text)) as OnWire<Body>;
    return { status: response.status, headers: response.headers, body };
  }

  /**
   * An answer of any length, piece by piece as it comes.
   *
   * @throws {CommandError} where it breaks off, or nothing comes for a minute.
   */
  async *stream(path: string, query: Query, interruption: AbortSignal): AsyncGenerator<Uint8Array> {
    const silence = new AbortController();
    const signal = AbortSignal.any([silence.signal, interruption]);
    // Only while something is waited for: who takes what has come may take it slowly.
    const listen = (): NodeJS.Timeout =>
      setTimeout(() => silence.abort(new DOMException('Nothing came', 'TimeoutError')), TIMEOUT_MS);
    let timer = listen();
    try {
      const response = await this.ask('GET', path, { query, headers: { accept: '*/*' }, signal });
      if (!response.ok) throw await errorOf(response);
      for await (const bytes of response.body ?? []) {
        clearTimeout(timer);
        yield bytes;
        timer = listen();
      }
    } catch (error) {
      if (error instanceof CommandError) throw error;
      throw new ApiFailure(`The answer broke off: ${reasonOf(error)}`, EXIT.failed);
    } finally {
      clearTimeout(timer);
    }
  }

  private async ask(
    method: Method,
    path: string,
    { query = {}, body, headers, isIssue, signal }: Call,
  ): Promise<Response> {
    const url = new URL(this.base);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    const request: RequestInit = {
      method,
      // Elsewhere the credential is nobody's business.
      redirect: 'error',
      headers: {
        ...this.headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(isIssue ? { 'idempotency-key': randomUUID() } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const attempt = (): Promise<Response> =>
      fetch(url, { ...request, signal: signal ?? AbortSignal.timeout(TIMEOUT_MS) });
    try {
      return await attempt().catch((error: unknown) => {
        if (!isIssue) throw error;
        return attempt();
      });
    } catch (error) {
      throw new ApiFailure(`${this.origin} cannot be reached: ${reasonOf(error)}`, EXIT.failed);
    }
  }
}

/** Writes a path; what is filled in is one segment each. */
export function path(texts: TemplateStringsArray, ...segments: string[]): string {
  return texts.reduce((whole, text, index) => whole + segmentOf(segments[index - 1] ?? '') + text);
}

function segmentOf(text: string): string {
  // Addresses have these resolved, and the call would be another one.
  if (text === '' || text === '.' || text === '..') throw usageError(`'${text}' names nothing`);
  return encodeURIComponent(text);
}

function reasonOf(error: unknown): string {
  const { message, name, cause } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  const { code, message: deeper } = (cause ?? {}) as NodeJS.ErrnoException;
  return printable(code ?? deeper ?? message);
}

async function errorOf(response: Response): Promise<ApiFailure> {
  const { status, headers } = response;
  const problem = await readProblem(response);
  const { title = 'Unexpected answer', detail, errors = [] } = problem ?? {};
  const message = `${title} (${status})${detail === undefined ? '' : `: ${detail}`}`;
  // What the title says already is not said once more for its one part.
  const details = errors.map(({ pointer, detail: about }) =>
    about === detail ? pointer : `${pointer}: ${about}`,
  );
  const seconds = headers.get('retry-after');
  if (seconds !== null) details.push(`Try again in ${seconds} s`);
  const retryAfterSeconds = seconds === null ? null : Number(seconds);
  return new ApiFailure(message, exitCodeOf(status), details, { status, errors, retryAfterSeconds });
}

async function readProblem(response: Response): Promise<Partial<Problem> | undefined> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  try {
    const text = await response.text();
    return isProblem ? (JSON.parse(text) as Partial<Problem>) : undefined;
  } catch {
    return undefined;
  }
}

function exitCodeOf(status: number): ExitCode {
  if (status === 400) return EXIT.usage;
  if (status === 404) return EXIT.notFound;
  return [401, 403, 409, 412, 422].includes(status) ? EXIT.refused : EXIT.failed;
}
