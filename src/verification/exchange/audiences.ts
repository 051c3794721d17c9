import { Refusal } from '../../refusal.js';
import { looksLikeToken } from '../../tokens/token-format.js';
import type { TokenExchange } from './exchange.dto.js';

const MAX_AUDIENCES = 10;
const MAX_AUDIENCE_LENGTH = 256;
/** No control, format, private or unassigned characters: services and people compare these names. */
const NAME = /^[^\p{C}\p{Z}]+$/u;

/**
 * Whom a JWT is for: what `audience` and `resource` name, each once.
 *
 * @throws {Refusal} invalid, target: too many, too long, or no names; a `resource` that is no absolute URI (RFC 8707).
 */
export function audiencesOf({ audience, resource }: Pick<TokenExchange, 'audience' | 'resource'>): string[] {
  if (audience.length + resource.length > MAX_AUDIENCES) {
    throw refusal(`audience and resource must name at most ${MAX_AUDIENCES} services`);
  }
  if (![...audience, ...resource].every(isName)) {
    throw refusal(
      `audience and resource must be names of 1 to ${MAX_AUDIENCE_LENGTH} characters, without spaces`,
    );
  }
  if (!resource.every(isAbsoluteUri)) throw refusal('resource must be an absolute URI without a fragment');
  return [...new Set([...audience, ...resource])];
}

/** A token has been put in the wrong place: it must not travel on in a JWT. */
function isName(text: string): boolean {
  return text.length <= MAX_AUDIENCE_LENGTH && NAME.test(text) && !looksLikeToken(text);
}

function isAbsoluteUri(text: string): boolean {
  return URL.canParse(text) && !text.includes('#');
}

function refusal(message: string): Refusal {
  return new Refusal('invalid', { reason: 'target', message });
}
