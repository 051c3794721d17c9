/** One part of the input and what is wrong with it. */
export class ProblemError {
  /**
   * A JSON Pointer (RFC 6901) into the body, or `/` and the name of a query parameter.
   * @example '/allowedCidrs/0'
   */
  pointer!: string;

  /** @example "'10.0.0.1/8' has host bits set; the block is 10.0.0.0/8" */
  detail!: string;
}

/** Every error of this API: problem details, RFC 9457, as `application/problem+json`. */
export class Problem {
  /** @example 'about:blank' */
  type!: string;

  /** @example 'Bad Request' */
  title!: string;

  /** @example 400 */
  status!: number;

  /** @example "'10.0.0.1/8' has host bits set; the block is 10.0.0.0/8" */
  detail!: string;

  errors?: ProblemError[];
}
