import { Injectable } from '@nestjs/common';
import type { JWTPayload } from 'jose';
import { Refusal } from '../refusal.js';
import { Semaphore } from '../semaphore.js';
import { ALGORITHM } from './key-pair.js';
import { SigningKeys } from './signing-keys.js';

/** What a JWT is signed for: metrics tell them apart. */
export const PURPOSES = ['registry', 'exchange', 'introspection'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Signatures are made by the threads that hash passwords, too: most of those stay free. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 200;

/** Signs JWTs at a bounded cost: few at once, and the networks that ask take turns. */
@Injectable()
export class JwtSigner {
  /** How many have been signed, and how many times nobody more could wait. */
  readonly counts = { signed: { registry: 0, exchange: 0, introspection: 0 }, refused: 0 };
  private readonly turns = new Semaphore(MAX_AT_ONCE, MAX_WAITING, () => this.busy());

  constructor(private readonly keys: SigningKeys) {}

  /** How many are being signed, and how many wait. */
  get load(): { running: number; waiting: number } {
    return this.turns.load;
  }

  /**
   * A JWT of these claims, in the compact form, signed with ES256 by the key that signs now.
   *
   * @param typ the `typ` of its header, by which it is taken for nothing else (RFC 8725, 3.11).
   * @param line in which it waits for its turn: those of one network stand in one.
   * @throws {Refusal} unavailable, when too many wait already.
   */
  async sign(purpose: Purpose, typ: string, claims: JWTPayload, line: string): Promise<string> {
    const { keyId: kid, privateKey } = await this.keys.signer();
    // A start does not wait for it: few servers sign.
    const { SignJWT } = await import('jose');
    const jwt = await this.turns.run(line, () =>
      new SignJWT(claims).setProtectedHeader({ typ, alg: ALGORITHM, kid }).sign(privateKey),
    );
    this.counts.signed[purpose] += 1;
    return jwt;
  }

  private busy(): Refusal {
    this.counts.refused += 1;
    const message = 'Too many tokens are being signed, please try again';
    return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
  }
}
