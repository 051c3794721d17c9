/**
 * Panther's `api-tokens`. It follows the page "API Tokens", which embeds its OpenAPI document, and that
 * document as the vendor's MCP server keeps it (older: 29 of the 39 permissions):
 * https://docs.panther.com/panther-developer-workflows/api/rest/api-tokens
 * https://github.com/panther-labs/mcp-panther/blob/main/docs/panther_open_api_v3_spec.yaml
 *
 * "Published" in the comments of this folder means these two. What they leave open was decided here and is
 * listed in docs/dialects/panther.md.
 */
import { Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type { ApiDescription, Dialect, RenderedRefusal, WithRaw } from '../../protocol/dialect.js';
import { isOfPath, type Refusal } from '../../refusal.js';
import { fromBase62, toBase62 } from '../../tokens/token-format.js';
import type { Token } from '../../tokens/token.entity.js';
import { SCOPES } from './panther.scopes.js';

export const PANTHER = 'panther';

// Published is only that an id is a string; the form was decided here (docs/dialects/panther.md).
const ID_PREFIX = 'po_';
/** 62^22 is more than 2^128. */
const ID_DIGITS = 22;

const DESCRIPTION: ApiDescription = {
  title: 'Patois: Panther API tokens',
  description:
    "API tokens of an organization, as Panther's `api-tokens` serves them: each limited to permissions and, optionally, " +
    'to CIDR blocks. The same routes are served below `/v1`.',
  credentials: {
    apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The value of a token.' },
    basic: { type: 'http', scheme: 'basic', description: 'Login and password, for a first token.' },
  },
  tags: { 'api-tokens': "Tokens of the caller's organization." },
  servers: ['/', '/v1'],
};

/** Panther's `api-tokens`; the sources are named at the head of this file. */
@Injectable()
export class PantherDialect implements Dialect {
  readonly name = PANTHER;
  // With and without `/v1`: see PantherController.
  readonly mounts = ['/api-tokens', '/v1/api-tokens'];
  readonly scopes = SCOPES;
  readonly description = DESCRIPTION;

  /**
   * `X-API-Key` is the one security scheme that is published (`ApiKeyAuth`), so a Bearer header does not
   * count. Login and password, for a first token, were decided here.
   */
  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: false, tokenHeaders: ['x-api-key'] });
  }

  renderRefusal(refusal: Refusal): RenderedRefusal {
    const status = statusOf(refusal);
    // The published error schemas have `message` alone. `error` repeats the names that the OpenAPI document
    // puts before its descriptions ("not_found: Not Found response."): decided here.
    return { status, body: { message: messageOf(refusal), error: CODES[status] ?? 'internal' } };
  }

  externalId({ id }: Token): string {
    return encodeId(id);
  }
}

/** `po_` and the UUID in base 62. */
export function encodeId(uuid: string): string {
  return ID_PREFIX + toBase62(BigInt(`0x${uuid.replaceAll('-', '')}`), ID_DIGITS);
}

/** The UUID of an id; undefined for a text that {@link encodeId} cannot have written. */
export function decodeId(id: string): string | undefined {
  if (!id.startsWith(ID_PREFIX) || id.length !== ID_PREFIX.length + ID_DIGITS) return undefined;
  const number = fromBase62(id.slice(ID_PREFIX.length));
  if (number === undefined || number >= 1n << 128n) return undefined;
  return number
    .toString(16)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// bad_request, forbidden and not_found are published (see renderRefusal), the others were decided here.
const CODES: Record<number, string> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'bad_request',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  431: 'bad_request',
  500: 'internal',
  503: 'unavailable',
};

/**
 * The texts were decided here; clients show them as they are. Every 401 has the same text, and so has every
 * use from an address outside the CIDR blocks: neither tells anything about the token. One text also serves
 * for a token that was deleted, that belongs to another organization or that never existed.
 *
 * Clients read `message`: `getErrorResponseMsg` in
 * https://github.com/panther-labs/terraform-provider-panther/blob/main/internal/client/rest.go
 */
function messageOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      return 'unauthorized';
    case 'notFound':
      return isOfPath(refusal) ? refusal.message : 'API token not found';
    case 'internal':
      return 'internal error';
    case 'unavailable':
      return 'service unavailable';
    default:
      return refusal.reason === 'address' ? 'access denied' : refusal.message;
  }
}
