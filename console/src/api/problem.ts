/** Problem details (RFC 9457), as every error of the API is worded. */
export interface ProblemDetails {
  title: string;
  status: number;
  detail: string;
  errors?: { pointer: string; detail: string }[];
}

/** Why a call failed: the server refused it, or nobody answered. */
export class ApiProblem extends Error {
  /** 0: no answer came. */
  readonly status: number;
  readonly errors: { pointer: string; detail: string }[];
  /** Seconds to wait before it is tried again, where the server says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor({ status, detail, errors = [] }: ProblemDetails, retryAfterSeconds?: number) {
    super(detail);
    this.name = 'ApiProblem';
    this.status = status;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** What is wrong with a field of the body, such as `/name`; undefined: nothing. */
  errorOf(pointer: string): string | undefined {
    return this.errors.find((one) => one.pointer === pointer)?.detail;
  }

  /** Whether it may work if it is simply tried again: nobody answered, or the server is busy or away. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Of an answer that is an error. */
  static of(response: Response, body: unknown): ApiProblem {
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    const seconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
    if (isProblem(body)) return new ApiProblem(body, seconds);
    const { status, statusText } = response;
    return new ApiProblem({ title: statusText, status, detail: statusText || String(status) }, seconds);
  }

  static noAnswer(): ApiProblem {
    return new ApiProblem({ title: '', status: 0, detail: 'The server does not answer' });
  }
}

function isProblem(body: unknown): body is ProblemDetails {
  return typeof body === 'object' && body !== null && 'detail' in body && 'status' in body;
}
