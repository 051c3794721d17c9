import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { type Statement, statementOf, Statements } from '../../database/statements.js';
import { isUuid } from '../../database/uuid.js';
import { parseStoredHash, type StoredHash, UnreadableHash } from '../../hashing/stored-hash.js';
import { Refusal } from '../../refusal.js';
import { type ImportOutcome, type ImportSpec, TokenImports } from '../../tokens/imports/token-imports.js';
import { assertSeesOwner, inBatch, TokenAdministrationService } from '../tokens/tokens.service.js';
import { inTurns } from '../../turnstile.js';
import type { ImportedTokenBody, ListImportsQuery, VisiblePart } from './imports.dto.js';

const MAX_KEYS = 16;
const MAX_KEY_BYTES = 1_024;
const LEAST = '00000000-0000-0000-0000-000000000000';

const SUMMARY = statementOf(
  'import-summary',
  `SELECT i.source, count(*)::int AS total, count(i.used_at)::int AS used,
      count(*) FILTER (WHERE i.used_at IS NULL AND NOT ended.it)::int AS waiting,
      count(*) FILTER (WHERE i.used_at IS NULL AND ended.it)::int AS ended
    FROM imported_values i JOIN tokens t ON t.id = i.token_uuid
      CROSS JOIN LATERAL (SELECT t.revoked_at IS NOT NULL OR coalesce(t.expires_at <= $2, false) AS it) AS ended
    WHERE $1::uuid IS NULL OR t.organization_id = $1
    GROUP BY i.source ORDER BY i.source`,
);

const LIST: Statement = statementOf(
  'list-imports',
  `SELECT i.token_uuid AS "uuid", t.token_id AS "tokenId", i.source, i.foreign_id AS "foreignId", u.login,
      i.imported_at AS "importedAt", i.used_at AS "usedAt"
    FROM imported_values i JOIN tokens t ON t.id = i.token_uuid JOIN users u ON u.id = t.owner_id
    WHERE i.token_uuid > $1 AND ($2::uuid IS NULL OR t.organization_id = $2) AND ($3::text IS NULL OR i.source = $3)
      AND ($4::boolean IS NULL OR (i.used_at IS NOT NULL) = $4)
    ORDER BY i.token_uuid LIMIT $5`,
);

export interface SourceCounts {
  source: string;
  total: number;
  waiting: number;
  used: number;
  ended: number;
}

export interface ImportedToken {
  uuid: string;
  tokenId: string;
  source: string;
  foreignId: string | null;
  login: string;
  importedAt: Date;
  usedAt: Date | null;
}

export interface ImportCall {
  source: string;
  keys: Record<string, string>;
  isDryRun: boolean;
  /** Or what is wrong with one. */
  bodies: readonly (ImportedTokenBody | Refusal)[];
}

/** Imports, for administrators and, into the own organization, organization administrators. */
@Injectable()
export class ImportAdministrationService {
  constructor(
    private readonly imports: TokenImports,
    private readonly tokens: TokenAdministrationService,
    private readonly statements: Statements,
  ) {}

  /**
   * Imports all tokens of a call, or none.
   *
   * @throws {Refusal} forbidden for a member; what {@link TokenImports.run} throws.
   */
  async run(caller: Principal, { source, keys, isDryRun, bodies }: ImportCall): Promise<ImportOutcome> {
    const read = keysOf(keys);
    const unreadable: Refusal[] = [];
    const readable: { spec: ImportSpec; place: number }[] = [];
    await inTurns(bodies, (body, place) => {
      try {
        if (body instanceof Refusal) throw body;
        readable.push({ spec: inBatch(place, () => this.specOf(caller, body)), place });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        unreadable.push(error);
      }
    });
    const { tokens, errors } = await this.imports.run(
      readable.map(({ spec }) => spec),
      caller,
      {
        source,
        keys: read,
        isDryRun: isDryRun || unreadable.length > 0,
        assertVisible: (owner) => assertSeesOwner(caller, owner),
        at: (index, step) => inBatch(readable[index]?.place ?? index, step),
      },
    );
    const all = [...unreadable, ...errors].sort((one, other) => placeOf(one) - placeOf(other));
    if (all.length > 0 && !isDryRun) throw together(all);
    return { tokens, errors: all };
  }

  /** @throws {Refusal} forbidden for a member. */
  summary(caller: Principal): Promise<SourceCounts[]> {
    return this.statements.run<SourceCounts>(SUMMARY, [organizationOf(caller), new Date()]);
  }

  /** @throws {Refusal} forbidden for a member; invalid for a cursor that this list did not give out. */
  async list(
    caller: Principal,
    { source, status, cursor, limit }: ListImportsQuery,
  ): Promise<{ rows: ImportedToken[]; nextCursor: string | undefined }> {
    const after = cursor === undefined ? LEAST : Buffer.from(cursor, 'base64url').toString('utf8');
    if (!isUuid(after)) {
      throw Refusal.ofField(['cursor'], 'cursor', 'cursor is not one that this list gave out');
    }
    const isUsed = status === undefined ? null : status === 'used';
    const rows = await this.statements.run<ImportedToken>(LIST, [
      after,
      organizationOf(caller),
      source ?? null,
      isUsed,
      limit + 1,
    ]);
    if (rows.length <= limit) return { rows, nextCursor: undefined };
    rows.pop();
    return { rows, nextCursor: Buffer.from(rows.at(-1)?.uuid ?? '').toString('base64url') };
  }

  private specOf(caller: Principal, body: ImportedTokenBody): ImportSpec {
    const hash = hashOf(body.hash);
    const now = new Date();
    for (const name of ['createdAt', 'lastUsedAt'] as const) {
      const time = body[name];
      if (time && time > now) throw Refusal.ofField([name], 'isPast', `${name} must not be in the future`);
    }
    return {
      ...this.tokens.specOf(caller, body),
      createdAt: body.createdAt ?? null,
      lastUsedAt: body.lastUsedAt ?? null,
      foreignId: body.foreignId ?? null,
      hash,
      hashText: body.hash,
      visible: hash.kind === 'salted' ? visibleOf(body.visible ?? null) : null,
    };
  }
}

/** Where in the list of tokens a refusal is. */
function placeOf({ fields }: Refusal): number {
  return Number(fields[0]?.path[1] ?? 0);
}

/** The first refusal, with what is wrong with the others in its fields. */
function together(refusals: readonly Refusal[]): Refusal {
  const [first = new Refusal('invalid')] = refusals;
  const { kind, reason, message, missing } = first;
  const fields = refusals.flatMap((refusal) => refusal.fields);
  return new Refusal(kind, { ...(reason === undefined ? {} : { reason }), message, missing, fields });
}

/** The organization that a caller administers; null: all. */
function organizationOf(caller: Principal): string | null {
  caller.assertAdministers();
  return caller.isAdministrator ? null : caller.user.organizationId;
}

/** @throws {Refusal} invalid, in words that do not repeat it. */
function hashOf(text: string): StoredHash {
  try {
    return parseStoredHash(text);
  } catch (error) {
    if (error instanceof UnreadableHash) throw Refusal.ofField(['hash'], 'hash', `hash ${error.message}`);
    throw error;
  }
}

function visibleOf(part: VisiblePart | null): ImportSpec['visible'] {
  if (!part) return null;
  const { prefix = '', suffix = '' } = part;
  if (prefix === '' && suffix === '') {
    throw Refusal.ofField(['visible'], 'isDefined', 'visible must have a prefix or a suffix');
  }
  return { prefix, suffix };
}

function keysOf(keys: Record<string, string>): Map<string, Buffer> {
  const entries = Object.entries(keys);
  if (entries.length > MAX_KEYS) {
    throw Refusal.ofField(['keys'], 'arrayMaxSize', `keys must have at most ${MAX_KEYS} entries`);
  }
  return new Map(
    entries.map(([name, text]) => {
      const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.alloc(0);
      const isBase64 = bytes.length > 0 && bytes.toString('base64') === text;
      if (!/^[\w.-]{1,100}$/.test(name) || !isBase64 || bytes.length > MAX_KEY_BYTES) {
        const message = `each key must have a name of letters, digits and ._- and be 1 to ${MAX_KEY_BYTES} bytes in base64`;
        throw Refusal.ofField(['keys'], 'isBase64', message);
      }
      return [name, bytes];
    }),
  );
}
