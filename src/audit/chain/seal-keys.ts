import { Inject, Injectable } from '@nestjs/common';
import type { StatementRunner } from '../../database/statements.js';
import { AUDIT_KEYS, type AuditKeys, type PublicAuditKey } from '../audit-keys.js';
import { canonicalJson } from './canonical-json.js';
import { isSignedBy } from './signatures.js';

interface KeyRow {
  id: string;
  x: string;
  endorsed_by: string;
  endorsement: string;
}

/**
 * The public keys that seals are verified with. Each that signs is kept, with the signature of the key that signs now, so
 * that what a key has signed can be verified when it has left the ring: its successor has vouched for it, and that one's
 * for both. A key that somebody else wrote into the database has no such signature, and does not count.
 */
@Injectable()
export class SealKeys {
  constructor(@Inject(AUDIT_KEYS) private readonly keys: AuditKeys) {}

  /** The keys that count, by id. */
  async trusted(runner: StatementRunner): Promise<Map<string, PublicAuditKey>> {
    return this.trustedAmong(await this.read(runner));
  }

  /** Keeps the keys of the ring, and vouches for all that count with the key that signs now. */
  async publish(runner: StatementRunner): Promise<void> {
    const rows = await this.read(runner);
    const { keyId } = this.keys;
    const isKept = ({ id, x }: PublicAuditKey): boolean => {
      const row = rows.find((one) => one.id === id && one.x === x);
      return row?.endorsed_by === keyId && this.isEndorsed(row);
    };
    const missing = [...this.trustedAmong(rows).values()].filter((key) => !isKept(key));
    if (missing.length === 0) return;
    const text = `
      INSERT INTO audit_keys (id, x, endorsed_by, endorsement, created_at)
      SELECT id, x, $4, endorsement, $5 FROM unnest($1::text[], $2::text[], $3::text[]) AS key(id, x, endorsement)
      ON CONFLICT (id) DO UPDATE SET x = excluded.x, endorsed_by = excluded.endorsed_by,
        endorsement = excluded.endorsement`;
    const endorsements = missing.map((key) => this.keys.sign(endorsementText(key, keyId)));
    await runner.run({ kind: 'seals', name: 'publish-keys', text }, [
      missing.map(({ id }) => id),
      missing.map(({ x }) => x),
      endorsements,
      keyId,
      new Date(),
    ]);
  }

  private read(runner: StatementRunner): Promise<KeyRow[]> {
    const text = `SELECT id, x, endorsed_by, endorsement FROM audit_keys ORDER BY created_at, id`;
    return runner.run<KeyRow>({ kind: 'seals', name: 'read-keys', text }, []);
  }

  private trustedAmong(rows: readonly KeyRow[]): Map<string, PublicAuditKey> {
    const vouchedFor = rows.filter((row) => this.isEndorsed(row)).map(({ id, x }) => ({ id, x }));
    return new Map([...vouchedFor, ...this.keys.publicKeys].map((key) => [key.id, key]));
  }

  private isEndorsed({ id, x, endorsed_by: by, endorsement }: KeyRow): boolean {
    const endorser = this.keys.publicKeys.find((key) => key.id === by);
    return endorser !== undefined && isSignedBy(endorser, endorsementText({ id, x }, by), endorsement);
  }
}

function endorsementText({ id, x }: PublicAuditKey, endorsedBy: string): string {
  return canonicalJson({ key: id, x, endorsedBy });
}
