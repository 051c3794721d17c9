import { Injectable } from '@nestjs/common';
import { DataSource, LessThan } from 'typeorm';
import type { PublicAuditKey } from '../../audit/audit-keys.js';
import { AuditSeal } from '../../audit/chain/audit-seal.entity.js';
import { type Leaf, unpackLeaves } from '../../audit/chain/leaves.js';
import { SealKeys } from '../../audit/chain/seal-keys.js';
import type { Principal } from '../../auth/principal.js';
import { Listings } from '../../database/listings.js';
import { Statements } from '../../database/statements.js';
import type { ListQuery } from '../../native/list.dto.js';
import { Refusal } from '../../refusal.js';

const CURSOR = /^seals (\d{1,10})$/;
const MAX_SEQUENCE = 2_147_483_647;

/** The seals of the audit trail, for administrators of everything; their keys, for everybody. */
@Injectable()
export class SealsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly listings: Listings,
    private readonly statements: Statements,
    private readonly sealKeys: SealKeys,
  ) {}

  /** @throws {Refusal} forbidden for who does not administer everything; invalid for a cursor that no page gave out. */
  async list(
    caller: Principal,
    { cursor, limit }: ListQuery,
  ): Promise<{ rows: AuditSeal[]; nextCursor: string | undefined }> {
    caller.assertAdministersAll();
    const where = cursor === undefined ? {} : { sequence: LessThan(sequenceOf(cursor)) };
    const rows = await this.listings.read((manager) =>
      manager.find(AuditSeal, { where, order: { sequence: 'DESC' }, take: limit + 1 }),
    );
    if (rows.length <= limit) return { rows, nextCursor: undefined };
    rows.pop();
    const last = rows.at(-1);
    return { rows, nextCursor: last && Buffer.from(`seals ${last.sequence}`).toString('base64url') };
  }

  /** @throws {Refusal} forbidden for who does not administer everything; notFound. */
  async get(caller: Principal, sequence: string): Promise<{ seal: AuditSeal; leaves: Leaf[] | null }> {
    caller.assertAdministersAll();
    const number = /^[1-9]\d{0,9}$/.test(sequence) ? Number(sequence) : Infinity;
    const seal =
      number <= MAX_SEQUENCE
        ? await this.dataSource.manager
            .createQueryBuilder(AuditSeal, 'seal')
            .addSelect('seal.leaves')
            .where({ sequence: number })
            .getOne()
        : null;
    if (!seal) throw new Refusal('notFound', { message: 'No such seal' });
    return { seal, leaves: seal.leaves && unpackLeaves(seal.leaves) };
  }

  /** The public keys, those that have left the ring as well. */
  async publicKeys(): Promise<PublicAuditKey[]> {
    return [...(await this.sealKeys.trusted(this.statements)).values()];
  }
}

function sequenceOf(cursor: string): number {
  const [, sequence] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (sequence === undefined || Number(sequence) > MAX_SEQUENCE) {
    throw Refusal.ofField(['cursor'], 'cursor', 'cursor is not one that this list gave out');
  }
  return Number(sequence);
}
