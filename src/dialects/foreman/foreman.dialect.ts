/**
 * Foreman's API v2: a user's personal access tokens, and what its own clients ask for besides. It follows the
 * source of Foreman, from which its API reference is generated, and that of the Ruby libraries it uses:
 * https://github.com/theforeman/foreman/blob/HEAD/app/controllers/api/v2/personal_access_tokens_controller.rb
 * https://github.com/theforeman/foreman/blob/develop/app/controllers/api/base_controller.rb
 * https://apidocs.theforeman.org/foreman/2.3/apidoc/v2/personal_access_tokens/destroy.html
 *
 * Paths such as `app/models/user.rb` in the comments of this folder are those of the repository
 * https://github.com/theforeman/foreman. What was decided here is listed in docs/dialects/foreman.md.
 */
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

/** The release of Foreman that this API follows. Clients read it to know which calls they may make. */
export const VERSION = '3.13.0';

/**
 * The synonyms of JSON that Rails 6.1 registers, so that types ending in `+json` are not among them:
 * https://github.com/rails/rails/blob/6-1-stable/actionpack/lib/action_dispatch/http/mime_types.rb
 */
const JSON_TYPES = new Set(['application/json', 'text/x-json', 'application/jsonrequest']);

const DESCRIPTION: ApiDescription = {
  title: 'Patois: Foreman personal access tokens',
  description:
    "Personal access tokens of users, as Foreman's API v2 serves them. The same routes are served below `/api/v2`, and with " +
    'an ending `.json`. Searches use the query language of scoped_search: `name ~ ci and not revoked = true`.',
  credentials: {
    basic: { type: 'http', scheme: 'basic', description: 'Login and token, or login and password.' },
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token.' },
  },
  tags: {
    personal_access_tokens: 'Tokens of a user.',
    users: 'Users, for clients that know a login and need a number.',
    home: 'The server itself.',
    ping: 'The health of the server and of what it depends on.',
    apidoc: "The apipie description of the API, from which Foreman's own clients are generated.",
  },
};

/** Foreman's API v2; the sources are named at the head of this file. */
@Injectable()
export class ForemanDialect implements Dialect {
  readonly name = FOREMAN;
  readonly mounts = ['/api', '/apidoc'];
  readonly scopes = SCOPES;
  readonly hasUniqueNames = true;
  readonly description = DESCRIPTION;

  /** @param apipie the description of the API; clients with another checksum load it again. */
  constructor(private readonly apipie: Apipie) {}

  /**
   * `/api/v2/…` is the same as `/api/…`: `scope "(:apiv)"` in
   * https://github.com/theforeman/foreman/blob/develop/config/routes/api/v2.rb
   * An ending `.json` names the default format (`set_default_response_format` in
   * app/controllers/api/base_controller.rb).
   */
  canonicalPath(path: string): string {
    return path.replace(/^\/+api\/+v2(?=\/|$)/, '/api').replace(/^(\/+api\/.*[^/])\.json(\/*)$/, '$1$2');
  }

  // HTTP Basic is https://github.com/theforeman/foreman/blob/develop/app/services/sso/basic.rb
  // Bearer was decided here.
  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true });
  }

  // 415 for anything else, on POST and PUT: `check_media_type` in
  // https://github.com/theforeman/foreman/blob/develop/app/controllers/api/v2/base_controller.rb
  readsMediaType(mediaType: string | undefined): boolean {
    return mediaType !== undefined && JSON_TYPES.has(mediaType);
  }

  /**
   * Rails parses the body for the log of the request (`process_action`), before `authorize` is called:
   * https://github.com/rails/rails/blob/main/actionpack/lib/action_controller/metal/instrumentation.rb
   */
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

  /**
   * The headers of every answer. A 401 has no version, because `authorize` ends the chain before
   * `add_info_headers` of app/controllers/api/base_controller.rb; Foreman leaves it out of more refusals
   * (docs/dialects/foreman.md). The checksum is added below Rails and so to every answer:
   * https://github.com/Apipie/apipie-rails/blob/master/lib/apipie/middleware/checksum_in_headers.rb
   */
  headers(status = 200): Record<string, string> {
    const version: Record<string, string> =
      status === 401 ? {} : { Foreman_version: VERSION, Foreman_api_version: '2' };
    return { ...version, 'Apipie-Checksum': this.apipie.checksum };
  }
}

// From `rescue_from NoMethodError` in app/controllers/api/base_controller.rb, without its sentence about
// causes. Foreman shows the message of every other exception; that no fault is shown here was decided here.
const SERVER_ERROR =
  'Internal Server Error: the server was unable to finish the request. ' +
  "There may be more information in the server's logs.";

/**
 * The templates of the errors, `<name>.json.rabl`, are in
 * https://github.com/theforeman/foreman/tree/develop/app/views/api/v2/errors
 * and the statuses in app/controllers/api/base_controller.rb.
 */
function render(refusal: Refusal, request: RefusedRequest): RenderedRefusal {
  switch (refusal.kind) {
    case 'invalid':
      return renderInvalid(refusal, request);
    case 'unauthenticated':
      return error(401, { message: unauthenticatedMessage(refusal) });
    case 'tooMany':
      // 401, not 429: `authorize`, template bruteforce_attempt.
      return error(401, { message: 'Too many tries, please try again in a few minutes.' });
    case 'forbidden':
      return renderForbidden(refusal);
    case 'notFound':
      return renderNotFound(refusal);
    case 'conflict':
      // Foreman knows no `Idempotency-Key`; decided here.
      if (refusal.reason === 'repeated') return error(409, { message: refusal.message });
      return unprocessable([['name', 'has already been taken']]);
    // Foreman has no text for this; decided here.
    case 'unavailable':
      return error(503, { message: unavailableMessage(refusal) });
    case 'internal':
      return error(500, { message: SERVER_ERROR });
  }
}

function unavailableMessage({ reason }: Refusal): string {
  if (reason === 'busy') return 'Too many changes at once, please try again.';
  return 'The database does not answer, please try again.';
}

function renderInvalid(refusal: Refusal, request: RefusedRequest): RenderedRefusal {
  if (refusal instanceof InvalidRecord) {
    return unprocessable(refusal.fields.map(({ path, message }) => [path[0] ?? BASE, message]));
  }
  const message = withoutSecrets(refusal.message);
  // As a validation of the record would say it that is about no field in particular (decided here).
  if (refusal.reason === 'policy') return unprocessable([[BASE, message]]);
  // `rescue_from ScopedSearch::QueryNotSupported, Apipie::ParamError`, template param_error.
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
      // Decided here; Foreman has no such check.
      return unprocessable([[field, 'contains invalid characters']]);
    }
    case 'mediaType': {
      // Template unsupported_media_type.
      const sent = request.headers['content-type'] ?? '';
      const text = `Media type in 'Content-Type: ${withoutSecrets(sent)}' is unsupported in API v2 for POST and PUT requests. Please use 'Content-Type: application/json'.`;
      return error(415, { message: text });
    }
    default:
      return error(statusOf(refusal), { message });
  }
}

/**
 * Not wrapped in `error`: `rescue_from ParseError` renders it without a template (api/base_controller.rb).
 */
function malformed(message: string): RenderedRefusal {
  const text = `There was a problem in the JSON you submitted: ${message}`;
  return { status: 400, body: { status: 400, error: text } };
}

// Both texts: `authorize` in app/controllers/api/base_controller.rb, template unauthorized. Without a login
// the text ends with a space.
function unauthenticatedMessage({ reason, login = '' }: Refusal): string {
  if (reason === 'ownerDisabled') return 'User account is disabled, please contact your administrator';
  return `Unable to authenticate user ${login}`;
}

function renderForbidden({ reason, message, missing }: Refusal): RenderedRefusal {
  // Foreman tokens have no CIDR blocks; decided here.
  if (reason === 'address') return error(403, { message: 'Access denied' });
  // Template access_denied. A permission is only named where it would help (decided here);
  // `set_error_details` in app/controllers/api/base_controller.rb always names the permissions of the route.
  if (missing.length === 0 || (reason !== 'scope' && reason !== 'role')) {
    return error(403, { message: 'Access denied', details: message, missing_permissions: [] });
  }
  const permissions = missing.map((scope) => (scope.startsWith(PREFIX) ? scope.slice(PREFIX.length) : scope));
  const details = `Missing one of the required permissions: ${permissions.join(', ')}`;
  return error(403, { message: 'Access denied', details, missing_permissions: permissions });
}

function renderNotFound(refusal: Refusal): RenderedRefusal {
  // 422: the user is an association of the token (`association_not_found` in
  // app/controllers/api/base_controller.rb). The text, with the id as Ruby's `inspect` writes it:
  // `raise_record_not_found_exception!` in
  // https://github.com/rails/rails/blob/main/activerecord/lib/active_record/relation/finder_methods.rb
  if (refusal instanceof UserNotFound) {
    const id = inspect(withoutSecrets(refusal.id));
    return error(422, { message: `Couldn't find User with 'id'=${id}` });
  }
  // Not wrapped in `error`: `not_found` with a text renders it without a template (`set_taxonomy` in
  // app/controllers/concerns/application_shared.rb).
  if (refusal instanceof ContextNotFound) {
    const message = `${refusal.context} with id ${withoutSecrets(refusal.id)} not found`;
    return { status: 404, body: { message } };
  }
  // Template not_found, with the id as it was sent.
  if (refusal instanceof ResourceNotFound) {
    const id = withoutSecrets(refusal.id);
    return error(404, { message: `Resource ${refusal.resource} not found by id '${id}'` });
  }
  // Rails has no 405: a known path with another method is no route. Text and JSON: decided here.
  return error(404, { message: 'There is nothing at this address.' });
}

function error(status: number, inside: Record<string, unknown>): RenderedRefusal {
  return { status, body: { error: inside } };
}

/**
 * The field of what is wrong with a record as a whole; its messages are whole sentences (`full_message`):
 * https://github.com/rails/rails/blob/main/activemodel/lib/active_model/error.rb
 */
const BASE = 'base';

/**
 * A record that was not saved: messages for each field, and whole sentences. Template unprocessable_entity;
 * `id` is null because the record has none yet.
 */
function unprocessable(problems: [field: string, message: string][]): RenderedRefusal {
  const errors: Record<string, string[]> = {};
  for (const [field, message] of problems) (errors[field] ??= []).push(withoutSecrets(message));
  const sentences = Object.entries(errors).flatMap(([field, messages]) =>
    messages.map((message) => (field === BASE ? message : `${humanized(field)} ${message}`)),
  );
  return error(422, { id: null, errors, full_messages: sentences });
}

/** `expires_at` in a sentence, `Expires at`: `full_messages` and `humanize` of Rails. */
function humanized(field: string): string {
  const words = field.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A text as Ruby's `String#inspect` writes it: `#` is escaped before `{`, `$` and `@`. */
function inspect(text: string): string {
  return JSON.stringify(text).replace(/#(?=[{$@])/g, '\\#');
}
