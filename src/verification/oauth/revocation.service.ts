import { Injectable } from '@nestjs/common';
import { Principal } from '../../auth/principal.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import { type Authority, SYSTEM_AUTHORITY } from '../../tokens/authority/authority.js';
import { TokenLookup } from '../../tokens/token-lookup.js';
import { TokenService } from '../../tokens/token.service.js';

/** The header of every JWT is an object: `{"`. */
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/** Revokes a token at the request of its holder, from any address, so that the finder of a leaked token can end it. */
@Injectable()
export class RevocationService {
  constructor(
    private readonly lookup: TokenLookup,
    private readonly tokens: TokenService,
    private readonly registry: DialectRegistry,
  ) {}

  /**
   * Does nothing for a value that is no token's, nor for a token that is revoked already (RFC 7009, section 2.2).
   *
   * @throws {Refusal} invalid, tokenType, for a JWT: whoever issued it for a token cannot end it.
   */
  async revoke(value: string, origin: Origin): Promise<void> {
    const found = await this.lookup.find(value);
    if (!found) {
      if (JWT.test(value))
        throw new Refusal('invalid', { reason: 'tokenType', message: 'A JWT cannot be revoked' });
      return;
    }
    const { token } = found;
    const { actor } = new Principal(token.owner, token, value, origin, this.registry);
    // Also works for a token that is expired, inactive or of a disabled owner.
    const holder: Authority = { ...SYSTEM_AUTHORITY, actor };
    const options = { reason: 'revoked by its holder', presented: value };
    await this.tokens.revoke({ id: token.id }, holder, options).catch((error: unknown) => {
      const isSuperseded = error instanceof Refusal && error.kind === 'notFound';
      if (!isSuperseded) throw error;
    });
  }
}
