import { Injectable } from '@nestjs/common';
import { networkOf } from '../../network/cidr.js';
import { JwtSigner } from '../../signing/jwt-signer.js';
import type { IntrospectionAnswer } from './introspection.dto.js';

const TYP = 'token-introspection+jwt';
export const TOKEN_INTROSPECTION_JWT = `application/${TYP}`;

/** Answers of introspection that can be shown to others later: signed, with whom they are for (RFC 9701). */
@Injectable()
export class IntrospectionJwts {
  constructor(private readonly signer: JwtSigner) {}

  /**
   * @param audience the caller.
   * @param address where it calls from.
   * @throws {Refusal} unavailable, when too many wait already.
   */
  sign(
    answer: IntrospectionAnswer,
    iss: string,
    audience: string,
    address: string | undefined,
  ): Promise<string> {
    // Neither `sub` nor `exp` at the top: then it is no access token (RFC 9701, section 5).
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss, aud: audience, iat, token_introspection: answer };
    return this.signer.sign('introspection', TYP, claims, networkOf(address));
  }
}

/** Whether `Accept` names the JWT, and does not like plain JSON better. Hardly anybody asks for it. */
export function prefersJwt(accept: string | undefined): boolean {
  if (accept === undefined || !/jwt/i.test(accept)) return false;
  const qualities = new Map(accept.split(',').map(qualityOf));
  const quality = qualities.get(TOKEN_INTROSPECTION_JWT) ?? 0;
  return quality > 0 && quality >= (qualities.get('application/json') ?? 0);
}

/** One range of media types, in lower case, with how much it is liked: RFC 9110, 12.5.1. */
function qualityOf(range: string): [mediaType: string, quality: number] {
  const [mediaType = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return [mediaType, quality === undefined ? 1 : Number(quality.slice('q='.length)) || 0];
}
