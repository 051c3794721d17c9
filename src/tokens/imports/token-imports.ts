import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { User } from '../../accounts/user.entity.js';
import type { AuditEntry } from '../../audit/audit.writer.js';
import type { Transaction } from '../../database/transactions.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { meaningOf, type SaltedHash, type StoredHash } from '../../hashing/stored-hash.js';
import { Refusal } from '../../refusal.js';
import { inTurns } from '../../turnstile.js';
import { type Admitted, Admission } from '../authority/admission.js';
import type { Authority } from '../authority/authority.js';
import { PolicyEnforcement } from '../policy/policy-enforcement.js';
import type { Policy } from '../policy/policy.entity.js';
import { assertScopeLimits } from '../scope-limits.js';
import type { Token } from '../token.entity.js';
import { entryOf, type Located, policyOf, TokenService, type TokenSpec } from '../token.service.js';
import { TokenWrites } from '../token-writes.js';
import { detailOf } from './imported-forms.js';
import { lookupOf, MAX_OF_LOGIN, MAX_VISIBLE, MAX_WORK_MS, visibleText } from './imported-values.js';
import type { ImportedKind, ImportedValue } from './imported-value.entity.js';
import { ImportRows, nameKey, type NewForm } from './import-rows.js';

/** A token that another system has issued. */
export interface ImportSpec extends TokenSpec {
  /** When that was; null: at the import, as far as is known. */
  createdAt: Date | null;
  lastUsedAt: Date | null;
  /** What it is called there. */
  foreignId: string | null;
  hash: StoredHash;
  /** The hash as it came. */
  hashText: string;
  /** What may be seen of the value: its first and last characters. */
  visible: { prefix: string; suffix: string } | null;
}

export interface ImportOptions {
  source: string;
  /** The keys of HMACs, by the names that hashes use for them. */
  keys: ReadonlyMap<string, Buffer>;
  /** Whether nothing is written. */
  isDryRun: boolean;
  assertVisible: (owner: User | undefined) => void;
  at: Located;
}

/** What became of one token of a call. */
export interface Imported {
  tokenId: string;
  /** Whether it was there already. */
  isKnown: boolean;
}

export interface ImportOutcome {
  /** In the order of the call, without those that are refused. */
  tokens: Imported[];
  /** What is wrong with those that are refused; if there is one, nothing was written. */
  errors: Refusal[];
}

/** What of a new token stands in the table of imported values, and the token itself. */
interface Draft {
  token: Token;
  owner: User;
  policy: Policy;
  row: ImportedValue;
}

/** What one visible part or one login leads to. */
interface Crowd {
  count: number;
  work: Map<string, number>;
}

/**
 * Brings tokens along from other systems. A call writes all of its tokens or none; one that is there already, by its source
 * and its id there or its hash, stays as it is: so a call may be made again, whatever became of the first. Calls run one
 * after the other.
 */
@Injectable()
export class TokenImports {
  constructor(
    private readonly tokens: TokenService,
    private readonly admission: Admission,
    private readonly writes: TokenWrites,
    private readonly policies: PolicyEnforcement,
    private readonly hashing: HashingService,
    private readonly rows: ImportRows,
  ) {}

  /**
   * Imports all tokens, or none. The errors are those of {@link TokenService.issue}, and conflict for a hash that was
   * imported for another token.
   *
   * @throws {Refusal} unauthenticated when the caller is not what it was; conflict for a unique name that is taken.
   */
  async run(specs: readonly ImportSpec[], by: Authority, options: ImportOptions): Promise<ImportOutcome> {
    return this.tokens.changing(by, async (transaction) => {
      await this.rows.lock(transaction);
      const owners = specs.map(({ owner }) => owner);
      const admitted = await this.admission.admit(transaction, by, { owners, asksPolicies: true });
      const refused = new Map<number, Refusal>();
      const collect = collecting(refused, options.at);
      const forms = await this.formsOf(transaction, specs, options, collect);
      const found = await inTurns(specs, (spec, index) =>
        collect(index, () => this.ownerOf(spec, admitted, options)),
      );
      const known = await this.rows.find(
        transaction,
        options.source,
        specs.flatMap((spec, index) => {
          const owner = found[index];
          return owner
            ? [{ organizationId: owner.organizationId, foreignKey: foreignKeyOf(spec, forms.idOf) }]
            : [];
        }),
      );
      const drafts: (Draft | undefined)[] = [];
      const tokens: (Imported | undefined)[] = [];
      const seen = new Map<string, string>();
      await inTurns(specs, (spec, index) => {
        const owner = found[index];
        if (!owner) return;
        collect(index, () => {
          const foreignKey = foreignKeyOf(spec, forms.idOf);
          const fingerprint = fingerprintOf(spec, forms.idOf);
          const key = `${owner.organizationId} ${foreignKey}`;
          const before = known.get(key) ?? seen.get(key);
          const print = fingerprint.toString('hex');
          if (before !== undefined) {
            const [print0, tokenId] = before.split(' ');
            if (print0 !== print) throw ofField('foreignId', 'conflict', 'was imported with another hash');
            tokens[index] = { tokenId: tokenId ?? '', isKnown: true };
            return;
          }
          const policy = policyOf(owner, admitted.policies);
          const { token } = this.tokens.make(spec, owner, admitted.powers, policy, by.actor, spec);
          const row = this.rowOf(token, spec, options.source, { foreignKey, fingerprint, forms });
          seen.set(key, `${print} ${token.tokenId}`);
          drafts[index] = { token, owner, policy, row };
          tokens[index] = { tokenId: token.tokenId, isKnown: false };
        });
      });
      await this.assertNew(transaction, drafts, collect);
      await this.assertNamesFree(transaction, drafts, collect);
      await this.assertBounded(transaction, specs, drafts, collect);
      await this.assertRoom(transaction, drafts, by, collect);
      if (!options.isDryRun && refused.size === 0) {
        await this.write(transaction, by, specs, drafts, forms.fresh, options.source);
      }
      return {
        tokens: tokens.flatMap((token, index) => (token && !refused.has(index) ? [token] : [])),
        errors: [...refused.values()],
      };
    });
  }

  /** @throws {Refusal} for who may not bring tokens of an owner along, and where there is no such owner. */
  private ownerOf(spec: ImportSpec, { named }: Admitted, { assertVisible }: ImportOptions): User {
    assertScopeLimits(spec.scopes);
    const owner = named.find(spec.owner);
    assertVisible(owner);
    if (!owner) throw new Refusal('notFound', { message: 'No such user' });
    return owner;
  }

  /** The ways in which these values are to be found, and which of them are new. */
  private async formsOf(
    transaction: Transaction,
    specs: readonly ImportSpec[],
    { keys }: ImportOptions,
    collect: Collect,
  ): Promise<{ idOf: (name: string) => string; fresh: NewForm[] }> {
    const known = await this.rows.readForms(transaction);
    const wanted = new Map<string, NewForm>();
    const ids = new Map<string, string>();
    for (const [index, { hash, visible }] of specs.entries()) {
      collect(index, () => {
        const kind = kindOf(hash, visible);
        if (hash.kind === 'hmac-sha256') {
          const name = hash.keyName ?? '';
          const key = keys.get(name);
          if (!key) throw ofField('hash', 'exists', `names the key ${name}, which keys does not have`);
          if (ids.has(name)) return;
          const kept = this.rows.keptKey(known, key) ?? this.rows.sealKey(key);
          ids.set(name, kept.detail);
          wanted.set(`${kind} ${kept.detail}`, kept);
          return;
        }
        const detail =
          kind === 'visible' && visible
            ? detailOf({ prefix: visible.prefix.length, suffix: visible.suffix.length })
            : '';
        wanted.set(`${kind} ${detail}`, { kind, detail, sealedKey: null });
      });
    }
    const there = new Set(known.map(({ kind, detail }) => `${kind} ${detail}`));
    const fresh = [...wanted].filter(([name]) => !there.has(name)).map(([, form]) => form);
    this.rows.assertFew(known.length + fresh.length);
    return { idOf: (name) => ids.get(name) ?? '', fresh };
  }

  private rowOf(
    token: Token,
    { hash, hashText, visible, foreignId }: ImportSpec,
    source: string,
    of: { foreignKey: string; fingerprint: Buffer; forms: { idOf: (name: string) => string } },
  ): ImportedValue {
    const kind = kindOf(hash, visible);
    return {
      tokenUuid: token.id,
      organizationId: token.organizationId,
      source,
      foreignKey: of.foreignKey,
      foreignId,
      fingerprint: of.fingerprint,
      kind,
      lookup: this.lookupOf(kind, hash, visible, of.forms.idOf),
      hash: hash.kind === 'salted' ? hashText : null,
      importedAt: new Date(),
      usedAt: null,
    };
  }

  private lookupOf(
    kind: ImportedKind,
    hash: StoredHash,
    visible: ImportSpec['visible'],
    idOf: (name: string) => string,
  ): Buffer | null {
    if (hash.kind === 'salted') {
      return visible && lookupOf(this.hashing, kind, visibleText(visible.prefix, visible.suffix));
    }
    const key = hash.keyName === undefined ? '' : `${idOf(hash.keyName)} `;
    return lookupOf(this.hashing, kind, `${key}${hash.digest}`);
  }

  /** @throws {Refusal} conflict for a hash that belongs to another token already. */
  private async assertNew(
    transaction: Transaction,
    drafts: readonly (Draft | undefined)[],
    collect: Collect,
  ): Promise<void> {
    const prints = drafts.flatMap((draft) => draft?.row.fingerprint ?? []);
    const taken = await this.rows.findFingerprints(transaction, prints);
    for (const [index, draft] of drafts.entries()) {
      const print = draft?.row.fingerprint.toString('hex');
      if (print === undefined) continue;
      collect(index, () => {
        if (taken.has(print)) throw ofField('hash', 'conflict', 'was imported for another token');
        taken.add(print);
      });
    }
  }

  /** @throws {Refusal} conflict for a name that must be unique and is not. One that is taken meanwhile the index finds. */
  private async assertNamesFree(
    transaction: Transaction,
    drafts: readonly (Draft | undefined)[],
    collect: Collect,
  ): Promise<void> {
    const named = drafts.flatMap((draft, index) => {
      const { ownerId, uniqueName } = draft?.token ?? {};
      return ownerId !== undefined && uniqueName != null ? [{ index, ownerId, uniqueName }] : [];
    });
    if (named.length === 0) return;
    const taken = await this.rows.findNames(transaction, named);
    for (const { index, ownerId, uniqueName } of named) {
      const key = nameKey(ownerId, uniqueName);
      collect(index, () => {
        if (taken.has(key))
          throw ofField('name', 'conflict', 'has already been taken by another token of this owner');
        taken.add(key);
      });
    }
  }

  /** @throws {Refusal} invalid where a value or a login would lead to more hashes than can be tried. */
  private async assertBounded(
    transaction: Transaction,
    specs: readonly ImportSpec[],
    drafts: readonly (Draft | undefined)[],
    collect: Collect,
  ): Promise<void> {
    const crowds = new Map<string, Crowd>();
    const salted = drafts.flatMap((draft) => (draft?.row.hash ? [draft.row] : []));
    if (salted.length === 0) return;
    const lookups = salted.flatMap(({ lookup }) => lookup ?? []);
    const owners = drafts.flatMap((draft) => (draft?.row.kind === 'login' ? [draft.owner.id] : []));
    for (const { crowd, hash } of await this.rows.waiting(transaction, lookups, owners))
      add(crowds, crowd, hash);
    for (const [index, draft] of drafts.entries()) {
      const hash = specs[index]?.hash;
      if (!draft || hash?.kind !== 'salted') continue;
      const { row, owner } = draft;
      collect(index, () => {
        const { count, work } = add(crowds, row.lookup?.toString('hex') ?? owner.id, hash);
        const most = row.lookup ? MAX_VISIBLE : MAX_OF_LOGIN;
        const costMs = [...work.values()].reduce((sum, one) => sum + one, 0);
        if (count <= most && costMs <= MAX_WORK_MS) return;
        const what = row.lookup ? 'the same visible part' : 'no visible part and the same owner';
        throw ofField('hash', 'max', `is one of too many, or of too slow ones, with ${what}`);
      });
    }
  }

  private async assertRoom(
    transaction: Transaction,
    drafts: readonly (Draft | undefined)[],
    by: Authority,
    collect: Collect,
  ): Promise<void> {
    const lives = drafts.flatMap((draft, index) =>
      // One that works no more takes nobody's place.
      draft && draft.token.status() === 'active' ? [{ ...draft, index }] : [],
    );
    await this.policies.assertRoom(transaction, lives, by.actor, {
      isNew: true,
      at: (index, step) => {
        collect(lives[index]?.index ?? 0, step);
      },
    });
  }

  private async write(
    transaction: Transaction,
    by: Authority,
    specs: readonly ImportSpec[],
    drafts: readonly (Draft | undefined)[],
    fresh: readonly NewForm[],
    source: string,
  ): Promise<void> {
    const made = drafts.flatMap((draft, index) => {
      const spec = specs[index];
      return draft && spec ? [{ ...draft, spec }] : [];
    });
    if (made.length === 0) return;
    const entries = made.map(({ token, spec }): AuditEntry => {
      const entry = entryOf(by.actor, 'token.import', { after: token });
      return { ...entry, after: { ...entry.after, source, foreignId: spec.foreignId } };
    });
    const tokens = made.map(({ token }) => token);
    const rider = this.rows.rider(made.map(({ row }) => row));
    await this.writes.insert(transaction, tokens, entries, [rider]);
    await this.rows.writeUses(
      transaction,
      made.flatMap(({ token, spec }) => (spec.lastUsedAt ? [{ id: token.id, usedAt: spec.lastUsedAt }] : [])),
    );
    await this.rows.announce(transaction, fresh);
  }
}

type Collect = <Result>(index: number, step: () => Result) => Result | undefined;

/** Runs a step for one of the tokens, unless that is refused already; a refusal is kept, and the next one goes on. */
function collecting(refused: Map<number, Refusal>, at: Located): Collect {
  return (index, step) => {
    if (refused.has(index)) return undefined;
    try {
      return at(index, step);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.set(index, error);
      return undefined;
    }
  };
}

function ofField(field: string, rule: 'conflict' | 'exists' | 'max', predicate: string): Refusal {
  const message = `${field} ${predicate}`;
  const fields = [{ path: [field], rule, message }];
  return new Refusal(rule === 'conflict' ? 'conflict' : 'invalid', { message, fields });
}

function kindOf(hash: StoredHash, visible: ImportSpec['visible']): ImportedKind {
  if (hash.kind !== 'salted') return hash.kind;
  return visible ? 'visible' : 'login';
}

/** Of what a hash means: the same in all its spellings. */
function fingerprintOf({ hash }: ImportSpec, idOf: (name: string) => string): Buffer {
  const keyId = hash.kind === 'hmac-sha256' ? idOf(hash.keyName ?? '') : '';
  return createHash('sha256').update(meaningOf(hash, keyId)).digest();
}

function foreignKeyOf(spec: ImportSpec, idOf: (name: string) => string): string {
  const { foreignId } = spec;
  return foreignId === null ? `hash ${fingerprintOf(spec, idOf).toString('hex')}` : `id ${foreignId}`;
}

function add(crowds: Map<string, Crowd>, name: string, hash: SaltedHash): Crowd {
  const crowd = crowds.get(name) ?? { count: 0, work: new Map() };
  crowds.set(name, crowd);
  crowd.count += 1;
  crowd.work.set(hash.work, hash.costMs);
  return crowd;
}
