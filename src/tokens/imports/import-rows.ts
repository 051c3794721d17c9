import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { LOCK_SPACES } from '../../database/advisory-lock.js';
import { CHANNEL } from '../../database/changes/change-feed.js';
import { EntityRows } from '../../database/entity-rows.js';
import { type StatementRunner, statementOf } from '../../database/statements.js';
import type { Transaction } from '../../database/transactions.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { parseStoredHash, type SaltedHash } from '../../hashing/stored-hash.js';
import { Refusal } from '../../refusal.js';
import type { Rider } from '../token-writes.js';
import { type FormRow, IMPORTS, openForm, READ_FORMS, sealForm } from './imported-forms.js';
import { type ImportedKind, ImportedValue } from './imported-value.entity.js';

/** Each is tried on every value that is not of our form. */
const MAX_FORMS = 64;

const LOCK = statementOf(
  'lock-imports',
  `SELECT 1 AS locked FROM pg_advisory_xact_lock(${LOCK_SPACES.imports}, 0)`,
);
const FIND = statementOf(
  'find-imported',
  `SELECT i.organization_id, i.foreign_key, encode(i.fingerprint, 'hex') AS fingerprint, t.token_id
    FROM unnest($2::uuid[], $3::text[]) AS asked (organization_id, foreign_key)
      JOIN imported_values i ON i.source = $1 AND i.organization_id = asked.organization_id
        AND i.foreign_key = asked.foreign_key
      JOIN tokens t ON t.id = i.token_uuid`,
);
const FIND_FINGERPRINTS = statementOf(
  'find-fingerprints',
  `SELECT encode(fingerprint, 'hex') AS fingerprint FROM imported_values WHERE fingerprint = ANY ($1::bytea[])`,
);
const FIND_NAMES = statementOf(
  'find-unique-names',
  `SELECT t.owner_id::text AS owner, t.unique_name AS name FROM unnest($1::uuid[], $2::text[]) AS asked (owner, name)
    JOIN tokens t ON t.owner_id = asked.owner AND t.unique_name = asked.name`,
);
const WAITING = statementOf(
  'waiting-imports',
  `SELECT encode(lookup, 'hex') AS crowd, hash FROM imported_values
      WHERE lookup = ANY ($1::bytea[]) AND kind = 'visible'
    UNION ALL SELECT t.owner_id::text, i.hash FROM tokens t JOIN imported_values i ON i.token_uuid = t.id
      WHERE t.owner_id = ANY ($2::uuid[]) AND i.kind = 'login' AND t.revoked_at IS NULL`,
);
const WRITE_USES = statementOf(
  'write-imported-uses',
  `UPDATE last_uses SET used_at = used.at, used_slot = floor(extract(epoch FROM used.at) / 900)
    FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at)
    WHERE token_uuid = used.id RETURNING 1 AS written`,
);
const ANNOUNCE = statementOf(
  'announce-imports',
  `WITH forms AS (INSERT INTO imported_forms (kind, detail, sealed_key)
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING)
    SELECT pg_notify('${CHANNEL}', '${IMPORTS}')`,
);

/** A way in which values are to be found that was not there before. */
export interface NewForm {
  kind: ImportedKind;
  detail: string;
  sealedKey: string | null;
}

/** The statements of imports. */
@Injectable()
export class ImportRows {
  private readonly values: EntityRows<ImportedValue>;

  constructor(
    dataSource: DataSource,
    private readonly hashing: HashingService,
  ) {
    this.values = new EntityRows(dataSource, ImportedValue);
  }

  /** One import after the other: what one looks for before it writes stays so. */
  async lock(runner: StatementRunner): Promise<void> {
    await runner.run(LOCK, []);
  }

  /** What of a source is there already: fingerprint (hex) and token id, by organization and foreign key. */
  async find(
    runner: StatementRunner,
    source: string,
    asked: readonly { organizationId: string; foreignKey: string }[],
  ): Promise<Map<string, string>> {
    const rows = await runner.run<
      Record<'organization_id' | 'foreign_key' | 'fingerprint' | 'token_id', string>
    >(FIND, [
      source,
      asked.map(({ organizationId }) => organizationId),
      asked.map(({ foreignKey }) => foreignKey),
    ]);
    return new Map(
      rows.map(({ organization_id: organizationId, foreign_key: key, fingerprint, token_id: tokenId }) => [
        `${organizationId} ${key}`,
        `${fingerprint} ${tokenId}`,
      ]),
    );
  }

  /** Those fingerprints, as hex, that are there. */
  async findFingerprints(runner: StatementRunner, prints: readonly Buffer[]): Promise<Set<string>> {
    const rows = await runner.run<{ fingerprint: string }>(FIND_FINGERPRINTS, [prints]);
    return new Set(rows.map(({ fingerprint }) => fingerprint));
  }

  /** Those unique names that their owners have given already; each as {@link nameKey} has it. */
  async findNames(
    runner: StatementRunner,
    asked: readonly { ownerId: string; uniqueName: string }[],
  ): Promise<Set<string>> {
    const rows = await runner.run<{ owner: string; name: string }>(FIND_NAMES, [
      asked.map(({ ownerId }) => ownerId),
      asked.map(({ uniqueName }) => uniqueName),
    ]);
    return new Set(rows.map(({ owner, name }) => nameKey(owner, name)));
  }

  /** The hashes that wait for the first use of their value, with the lookup (hex) or the owner that leads to them. */
  async waiting(
    runner: StatementRunner,
    lookups: readonly Buffer[],
    owners: readonly string[],
  ): Promise<{ crowd: string; hash: SaltedHash }[]> {
    const rows = await runner.run<{ crowd: string; hash: string }>(WAITING, [lookups, owners]);
    return rows.flatMap(({ crowd, hash: text }) => {
      const hash = parseStoredHash(text);
      return hash.kind === 'salted' ? [{ crowd, hash }] : [];
    });
  }

  readForms(runner: StatementRunner): Promise<FormRow[]> {
    return runner.run<FormRow>(READ_FORMS, []);
  }

  /** A key of an HMAC that is kept already. */
  keptKey(forms: readonly FormRow[], key: Buffer): NewForm | undefined {
    const kept = forms.find((form) => openForm(form, this.hashing)?.equals(key));
    return kept && { kind: kept.kind, detail: kept.detail, sealedKey: kept.sealed_key };
  }

  sealKey(key: Buffer): NewForm {
    const { id, sealedKey } = sealForm(key, this.hashing);
    return { kind: 'hmac-sha256', detail: id, sealedKey };
  }

  /** @throws {Refusal} conflict where values would have to be looked for in too many ways. */
  assertFew(forms: number): void {
    if (forms <= MAX_FORMS) return;
    const message = `Imported values can have ${MAX_FORMS} kinds of hashes, keys and visible parts together, no more`;
    throw new Refusal('conflict', { message });
  }

  /** Writes imported values with their tokens. */
  rider(values: readonly ImportedValue[]): Rider {
    const names = this.values.givenColumns.join(', ');
    return {
      name: 'imports',
      expressions: (place) => `imported AS (INSERT INTO imported_values (${names})
        SELECT ${names} FROM json_populate_recordset(NULL::imported_values, ${place(undefined)}::json))`,
      values: [JSON.stringify(values.map((value) => this.values.rowOf(value)))],
    };
  }

  async writeUses(runner: StatementRunner, uses: readonly { id: string; usedAt: Date }[]): Promise<void> {
    if (uses.length === 0) return;
    await runner.run(WRITE_USES, [uses.map(({ id }) => id), uses.map(({ usedAt }) => usedAt)]);
  }

  /** Tells all replicas that there are more imported values, and how those are found; and commits. */
  async announce(transaction: Transaction, forms: readonly NewForm[]): Promise<void> {
    transaction.changed.add(IMPORTS);
    await transaction.last.run(ANNOUNCE, [
      forms.map(({ kind }) => kind),
      forms.map(({ detail }) => detail),
      forms.map(({ sealedKey }) => sealedKey),
    ]);
  }
}

/** Names one owner's unique name among those of all. */
export function nameKey(ownerId: string, uniqueName: string): string {
  return `${ownerId} ${uniqueName}`;
}
