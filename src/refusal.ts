import { withoutSecrets } from './secrets.js';

/** Answers name what was sent, and a client may send half a MiB in one name. */
const MAX_MESSAGE_CHARACTERS = 2_000;
/** Of the path and the message of one field. */
const MAX_FIELD_CHARACTERS = 500;
/** A client that corrects so many fields can try again to see the rest. */
const MAX_FIELDS = 100;

/** The kinds of refusals, in Patois' own terms; each dialect renders them. */
export type RefusalKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'tooMany'
  | 'unavailable'
  | 'internal';

/** The exact reason, where dialects distinguish it. */
export type RefusalReason =
  // invalid
  | 'malformedJson'
  | 'mediaType'
  | 'tooLarge'
  | 'tooComplex'
  | 'tooSlow'
  | 'badText'
  | 'policy'
  | 'headers'
  | 'idempotencyKey'
  | 'idempotencyKeyReused'
  | 'grantType'
  | 'targetScope'
  | 'target'
  | 'tokenType'
  // unauthenticated
  | 'missing'
  | 'malformed'
  | 'ambiguous'
  | 'password'
  | 'session'
  | InvalidTokenReason
  // forbidden
  | 'scope'
  | 'role'
  | 'address'
  | 'crossSite'
  | 'grant'
  | 'reach'
  | 'lifetime'
  | 'outsideOrganization'
  | 'csrf'
  // notFound
  | 'route'
  | 'method'
  // unavailable
  | 'busy'
  // conflict
  | 'nameTaken'
  | 'superseded'
  | 'repeated'
  | 'stale';

/** Why a presented token does not work; told to trusted callers only. */
export type InvalidTokenReason = 'unknown' | 'revoked' | 'expired' | 'inactive' | 'ownerDisabled';

/** One part of the input and what is wrong with it. */
export interface FieldProblem {
  /** Keys from the outside in: `['orgRoles', '0', 'role']`; empty for the whole body. */
  path: string[];
  /**
   * The rule that was broken, in class-validator's words (`isString`, `whitelistValidation`, …) or our own.
   */
  rule: string;
  /** A sentence for the client that names the field. */
  message: string;
}

export interface RefusalDetails {
  reason?: RefusalReason;
  /** For the client; never holds a secret. */
  message?: string;
  fields?: FieldProblem[];
  /** The scopes or permissions that would have been needed. */
  missing?: string[];
  /** The login that was tried, where a dialect repeats it. Never a value that looks like a token. */
  login?: string;
  /** For 405: the methods that the path has. */
  allow?: string[];
  retryAfterSeconds?: number;
  /** What happened, for the log alone. */
  cause?: unknown;
}

/**
 * A refusal of the core. `kind` and `reason` are for programs, `message` for the client, `cause` for the log.
 * Texts beyond 2,000 characters are cut, and of more than 100 fields the first are named: an answer stays
 * small.
 */
export class Refusal extends Error {
  readonly reason: RefusalReason | undefined;
  readonly fields: FieldProblem[];
  readonly missing: string[];
  readonly login: string | undefined;
  readonly allow: string[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly kind: RefusalKind,
    details: RefusalDetails = {},
  ) {
    super(shortened(details.message ?? kind), { cause: details.cause });
    this.name = 'Refusal';
    this.reason = details.reason;
    this.fields = (details.fields ?? []).slice(0, MAX_FIELDS).map(shortenedField);
    this.missing = details.missing ?? [];
    this.login = details.login;
    this.allow = details.allow ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds;
  }

  /** The same refusal of a part of the input, in words of the whole: its fields are those below a path. */
  under(path: string[]): Refusal {
    const { reason, message, missing, login, allow, retryAfterSeconds, cause } = this;
    const own = this.fields.length > 0 ? this.fields : [{ path: [], rule: this.kind, message }];
    const fields = own.map((field) => ({ ...field, path: [...path, ...field.path] }));
    return new Refusal(this.kind, {
      ...(reason === undefined ? {} : { reason }),
      ...(login === undefined ? {} : { login }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      message,
      missing,
      allow,
      cause,
      fields,
    });
  }

  /** A refusal of one field of the input. */
  static ofField(path: string[], rule: string, message: string): Refusal {
    return new Refusal('invalid', { message, fields: [{ path, rule, message }] });
  }
}

/** Whether a notFound is about the path or its method, rather than about what the path names. */
export function isOfPath({ reason }: Refusal): boolean {
  return reason === 'route' || reason === 'method';
}

/**
 * A text that is short enough to be answered. A secret goes before the cut: half of one is no longer
 * recognized.
 */
export function shortened(text: string, most = MAX_MESSAGE_CHARACTERS): string {
  if (text.length <= most) return text;
  return `${withoutSecrets(text).slice(0, most)}…`.toWellFormed();
}

function shortenedField({ path, rule, message }: FieldProblem): FieldProblem {
  const most = MAX_FIELD_CHARACTERS;
  return { path: path.map((key) => shortened(key, most)), rule, message: shortened(message, most) };
}
