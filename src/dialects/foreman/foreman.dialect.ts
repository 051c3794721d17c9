import { Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type {
  ApiDescription,
  Dialect,
  RefusedRequest,
  RenderedRefusal,
  WithRaw,
} from '../../protocol/dialect.js';
import type { Refusal } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';
import type { Token } from '../../tokens/token.entity.js';
import { Apipie } from './apidoc/apipie.js';
import {
  ContextNotFound,
  InvalidParameter,
  InvalidRecord,
  QueryNotSupported,
  ResourceNotFound,
  UserNotFound,
} from './foreman.refusals.js';
import { PREFIX, SCOPES } from './foreman.scopes.js';

export const FOREMAN = 'foreman';

/** The release whose API this is, as clients read it to know what they may ask for. */
export const VERSION = '3.13.0';

/** Synonyms of JSON as Rails knows them; a type ending in `+json` is none of them. */
const JSON_TYPES = new Set(['application/json', 'text/x-json', 'application/jsonrequest']);

const DESCRIPTION: ApiDescription = {
  title: 'Patois: Foreman personal access tokens',
  description:
    "Personal access tokens of users, as Foreman's API v2 serves them. The same routes are served below `/api/v2`, and with " +
    'an ending `.json`. A search is written in the language of scoped_search: `name ~ ci and not revoked = true`.',
  credentials: {
    basic: { type: 'http', scheme: 'basic', description: 'Login and token, or login and password.' },
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token.' },
  },
  tags: {
    personal_access_tokens: 'Tokens of a user.',
    users: 'Users, for clients that know a login and need a number.',
    home: 'The server itself.',
    ping: 'How the server and what it needs are.',
    apidoc: "The API's description in the form that Foreman's own clients build themselves from.",
  },
};

/** Foreman's API v2: a user's personal access tokens, and what its own clients ask for besides. */
@Injectable()
export class ForemanDialect implements Dialect {
  readonly name = FOREMAN;
  readonly mounts = ['/api', '/apidoc'];
  readonly scopes = SCOPES;
  readonly hasUniqueNames = true;
  readonly description = DESCRIPTION;

  /** @param apipie the API's description: clients that keep one with another checksum load it anew. */
  constructor(private readonly apipie: Apipie) {}

  /** `/api/v2/…` is `/api/…`, and an ending `.json` says nothing that is not so anyway. */
  canonicalPath(path: string): string {
    return path.replace(/^\/+api\/+v2(?=\/|$)/, '/api').replace(/^(\/+api\/.*[^/])\.json(\/*)$/, '$1$2');
  }

  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true });
  }

  readsMediaType(mediaType: string | undefined): boolean {
    return mediaType !== undefined && JSON_TYPES.has(mediaType);
  }

  /** Rails parses the body before a controller asks who is calling. */
  refusesBodyFirst(refusal: Refusal): boolean {
    return refusal.reason === 'malformedJson';
  }

  renderRefusal(refusal: Refusal, request: RefusedRequest): RenderedRefusal {
    const { status, body } = render(refusal, request);
    return { status, headers: this.headers(status), body };
  }

  externalId(token: Token): string {
    return String(token.numericId);
  }

  /** The headers of every answer; strangers are not told the version. */
  headers(status = 200): Record<string, string> {
    const version: Record<string, string> =
      status === 401 ? {} : { Foreman_version: VERSION, Foreman_api_version: '2' };
    return { ...version, 'Apipie-Checksum': this.apipie.checksum };
  }
}

const SERVER_ERROR =
  'Internal Server Error: the server was unable to finish the request. ' +
  "There may be more information in the server's logs.";

function render(refusal: Refusal, request: RefusedRequest): RenderedRefusal {
  switch (refusal.kind) {
    case 'invalid':
      return renderInvalid(refusal, request);
    case 'unauthenticated':
      return error(401, { message: unauthenticatedMessage(refusal) });
    case 'tooMany':
      return error(401, { message: 'Too many tries, please try again in a few minutes.' });
    case 'forbidden':
      return renderForbidden(refusal);
    case 'notFound':
      return renderNotFound(refusal);
    case 'conflict':
      return unprocessable([['name', 'has already been taken']]);
    case 'unavailable':
      return error(503, { message: 'The database does not answer, please try again.' });
    case 'internal':
      return error(500, { message: SERVER_ERROR });
  }
}

function renderInvalid(refusal: Refusal, request: RefusedRequest): RenderedRefusal {
  if (refusal instanceof InvalidRecord) {
    return unprocessable(refusal.fields.map(({ path, message }) => [path[0] ?? 'base', message]));
  }
  const message = withoutSecrets(refusal.message);
  if (refusal instanceof QueryNotSupported) {
    return error(400, { message, class: 'ScopedSearch::QueryNotSupported' });
  }
  if (refusal instanceof InvalidParameter) {
    return error(400, { message, class: 'Apipie::ParamInvalid', parameter_name: refusal.parameter });
  }
  switch (refusal.reason) {
    case 'malformedJson':
      return malformed(message);
    case 'badText': {
      const field = refusal.fields[0]?.path.at(-1);
      if (field !== 'name' && field !== 'expires_at') return malformed(message);
      return unprocessable([[field, 'contains invalid characters']]);
    }
    case 'mediaType': {
      const sent = request.headers['content-type'] ?? '';
      const text = `Media type in 'Content-Type: ${withoutSecrets(sent)}' is unsupported in API v2 for POST and PUT requests. Please use 'Content-Type: application/json'.`;
      return error(415, { message: text });
    }
    default:
      return error(statusOf(refusal), { message });
  }
}

/** Not wrapped: this answer is given before Foreman's own error templates are reached. */
function malformed(message: string): RenderedRefusal {
  const text = `There was a problem in the JSON you submitted: ${message}`;
  return { status: 400, body: { status: 400, error: text } };
}

function unauthenticatedMessage({ reason, login = '' }: Refusal): string {
  if (reason === 'ownerDisabled') return 'User account is disabled, please contact your administrator';
  return `Unable to authenticate user ${login}`;
}

function renderForbidden({ reason, message, missing }: Refusal): RenderedRefusal {
  if (reason === 'address') return error(403, { message: 'Access denied' });
  // Only what a permission would open is refused by naming one.
  if (missing.length === 0 || (reason !== 'scope' && reason !== 'role')) {
    return error(403, { message: 'Access denied', details: message, missing_permissions: [] });
  }
  const permissions = missing.map((scope) => (scope.startsWith(PREFIX) ? scope.slice(PREFIX.length) : scope));
  const details = `Missing one of the required permissions: ${permissions.join(', ')}`;
  return error(403, { message: 'Access denied', details, missing_permissions: permissions });
}

function renderNotFound(refusal: Refusal): RenderedRefusal {
  if (refusal instanceof UserNotFound) {
    const id = inspect(withoutSecrets(refusal.id));
    return error(422, { message: `Couldn't find User with 'id'=${id}` });
  }
  if (refusal instanceof ContextNotFound) {
    const message = `${refusal.context} with id ${withoutSecrets(refusal.id)} not found`;
    return { status: 404, body: { message } };
  }
  if (refusal instanceof ResourceNotFound) {
    const id = withoutSecrets(refusal.id);
    return error(404, { message: `Resource ${refusal.resource} not found by id '${id}'` });
  }
  // A known path under another method is no route to Rails, so this API has no 405.
  return error(404, { message: 'There is nothing at this address.' });
}

function error(status: number, inside: Record<string, unknown>): RenderedRefusal {
  return { status, body: { error: inside } };
}

/** A record that was not saved: messages per field, and whole sentences. */
function unprocessable(problems: [field: string, message: string][]): RenderedRefusal {
  const errors: Record<string, string[]> = {};
  for (const [field, message] of problems) (errors[field] ??= []).push(withoutSecrets(message));
  const sentences = Object.entries(errors).flatMap(([field, messages]) =>
    messages.map((message) => `${humanized(field)} ${message}`),
  );
  return error(422, { id: null, errors, full_messages: sentences });
}

/** `expires_at` in a sentence: `Expires at`. */
function humanized(field: string): string {
  const words = field.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A text as Ruby shows it in its own quotes. */
function inspect(text: string): string {
  return JSON.stringify(text).replace(/#(?=[{$@])/g, '\\#');
}
