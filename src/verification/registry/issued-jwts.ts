import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../audit/audit.writer.js';
import { Principal } from '../../auth/principal.js';
import { Statements } from '../../database/statements.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { Origin } from '../../protocol/origin.js';
import type { Token } from '../../tokens/token.entity.js';
import type { Access } from './grants.js';

/** What is kept of a JWT: all but its signature. */
export interface IssuedJwt {
  jti: string;
  service: string;
  access: Access[];
  expiresAt: Date;
}

/** Writes JWTs into the audit trail. One cannot be called back: who holds it, and for what, is at least known. */
@Injectable()
export class IssuedJwts {
  constructor(
    private readonly audit: AuditWriter,
    private readonly statements: Statements,
    private readonly dialects: DialectRegistry,
  ) {}

  async record(token: Token, origin: Origin, { jti, ...after }: IssuedJwt): Promise<void> {
    const { actor } = new Principal(token.owner, token, null, origin, this.dialects);
    await this.audit.write(this.statements, {
      actor,
      action: 'jwt.issue',
      object: { type: 'jwt', id: jti },
      after: { ...after, owner: token.ownerId },
    });
  }
}
