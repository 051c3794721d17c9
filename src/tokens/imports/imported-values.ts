import type { OnApplicationShutdown } from '@nestjs/common';
import { createHash, createHmac } from 'node:crypto';
import type { BatchedLookup } from '../../database/batched-lookup.js';
import { type Statements, statementOf } from '../../database/statements.js';
import { FailureCounter } from '../../hashing/failure-counter.js';
import type { HashingService } from '../../hashing/hashing.service.js';
import type { SlowChecks } from '../../hashing/slow-checks.js';
import { matches, parseStoredHash, type SaltedHash } from '../../hashing/stored-hash.js';
import { networkOf } from '../../network/cidr.js';
import { Refusal } from '../../refusal.js';
import type { Forms, ImportedForms, VisibleLengths } from './imported-forms.js';
import { grafanaHashOf } from './grafana.js';
import type { ImportedKind } from './imported-value.entity.js';

const PURPOSE = 'imported values';
/** What is longer is no token of any system. */
const MAX_VALUE_BYTES = 1_024;
/** Of values with one visible part; many have one only where somebody has made them so. */
export const MAX_VISIBLE = 20;
/** Of the hashes that one login leads to. Those of one salt are tried together. */
export const MAX_OF_LOGIN = 500;
/** What trying all hashes that a value or a login leads to may take. */
export const MAX_WORK_MS = 4_000;

const WINDOW_SECONDS = 300;
/** As for passwords; where no address is known, all who ask share the limit. */
const MAX_FAILURES = { address: 30, unknown: 600 };

/** Anybody can have this asked, where values were imported: so it has connections that nothing else waits for. */
export const IMPORTED_LOOKUP = {
  name: 'imports',
  text: `SELECT encode(i.lookup, 'hex') AS lookup, json_agg(json_build_object(
      'tokenUuid', i.token_uuid, 'tokenId', t.token_id, 'kind', i.kind, 'hash', i.hash)) AS candidates
    FROM (SELECT *, row_number() OVER (PARTITION BY lookup ORDER BY imported_at, token_uuid) AS place
        FROM imported_values
        WHERE lookup = ANY (ARRAY(SELECT decode(key, 'hex') FROM unnest($1::text[]) AS key))) AS i
      JOIN tokens t ON t.id = i.token_uuid
    WHERE i.place <= ${MAX_VISIBLE}
    GROUP BY i.lookup`,
  keyOf: (row: ImportedRow) => row.lookup,
  connections: 2,
};

const OF_LOGIN = statementOf(
  'imported-of-login',
  `SELECT i.token_uuid AS "tokenUuid", t.token_id AS "tokenId", i.kind, i.hash
    FROM users u JOIN tokens t ON t.owner_id = u.id JOIN imported_values i ON i.token_uuid = t.id
    WHERE lower(u.login) = lower($1) AND u.deleted_at IS NULL AND i.kind = 'login' AND t.revoked_at IS NULL
    ORDER BY i.imported_at, i.token_uuid LIMIT ${MAX_OF_LOGIN}`,
);

/**
 * A token, and the value before a rotation that was never used, get the digest that they have not had. A value that was
 * retired without a use is known from then on.
 */
const DIGEST_ANEW = statementOf(
  'digest-imported',
  `WITH found AS (UPDATE imported_values
      SET kind = 'value', lookup = $2, hash = NULL, used_at = coalesce(used_at, $3) WHERE token_uuid = $1),
    current AS (UPDATE tokens SET
        digest = CASE WHEN digest_key = '' THEN $4 ELSE digest END,
        digest_key = CASE WHEN digest_key = '' THEN $5 ELSE digest_key END,
        previous_digest = CASE WHEN previous_digest_key = '' THEN $4 ELSE previous_digest END,
        previous_digest_key = CASE WHEN previous_digest_key = '' THEN $5 ELSE previous_digest_key END
      WHERE id = $1 AND (digest_key = '' OR previous_digest_key = '')),
    retired AS (UPDATE retired_values SET digest = $4, digest_key = $5 WHERE token_uuid = $1 AND digest_key = '')
    SELECT 1 AS done`,
);

interface Candidate {
  tokenUuid: string;
  tokenId: string;
  kind: ImportedKind;
  hash: string | null;
  /** What it was found by, as hex; undefined where that was the login. */
  lookup?: string;
}

export interface ImportedRow {
  /** As hex. */
  lookup: string;
  candidates: Candidate[];
}

/** What is known of who presents a value. */
export interface Presenter {
  address: string | undefined;
  /** Whose token it is said to be, where its hash may be one of those that this login leads to. */
  login?: string | undefined;
}

/** How an imported value is found, as it is kept. */
export function lookupOf(hashing: HashingService, kind: ImportedKind, text: string): Buffer {
  return hashing.digestsOf(`${kind} ${text}`, PURPOSE)[0];
}

/** What is visible of a value, as it is found by; undefined for a value that is not longer than that. */
export function visiblePartOf(value: string, { prefix, suffix }: VisibleLengths): string | undefined {
  if (value.length <= prefix + suffix) return undefined;
  return visibleText(value.slice(0, prefix), suffix === 0 ? '' : value.slice(-suffix));
}

export function visibleText(prefix: string, suffix: string): string {
  return JSON.stringify([prefix, suffix]);
}

/**
 * Finds tokens by values that other systems have issued. The first use of a value gives its token the digest that a token
 * of our own has: from then on the value is found by that.
 */
export class ImportedValues implements OnApplicationShutdown {
  private readonly failures = {
    address: new FailureCounter(MAX_FAILURES.address, WINDOW_SECONDS),
    unknown: new FailureCounter(MAX_FAILURES.unknown, WINDOW_SECONDS),
  };
  /** How often hashes with salt were tried on a value. */
  tries = 0;

  constructor(
    private readonly forms: ImportedForms,
    private readonly lookup: BatchedLookup<ImportedRow>,
    private readonly statements: Statements,
    private readonly hashing: HashingService,
    private readonly checks: SlowChecks,
  ) {}

  onApplicationShutdown(): Promise<void> {
    return this.lookup.close();
  }

  /** Whether a value may be an imported one, as far as can be said without asking. */
  mayBe(value: string): boolean {
    return value.length > 0 && value.length <= MAX_VALUE_BYTES && this.forms.mayExist;
  }

  /**
   * The token id of an imported value. Hashes with salt are tried only where something visible of the value, or the login
   * that comes with it, leads to them; few at once, and a network that fails too often must wait.
   *
   * @throws {Refusal} tooMany.
   */
  async find(value: string, presenter: Presenter): Promise<string | undefined> {
    const forms = await this.forms.read();
    if (!forms) return undefined;
    const candidates = await this.candidatesOf(textsOf(forms, value));
    const exact = candidates.find(({ kind }) => kind !== 'visible');
    if (exact) return this.recognized(exact, value);
    const visible = candidates.filter(({ kind }) => kind === 'visible');
    const grafanaHash = forms.kinds.has('grafana') ? grafanaHashOf(value) : undefined;
    const login = forms.kinds.has('login') ? presenter.login : undefined;
    if (visible.length === 0 && !grafanaHash && login === undefined) return undefined;
    return this.bounded(presenter, async () => {
      const found =
        (await this.matching(visible, value)) ??
        (grafanaHash && (await this.ofGrafana(grafanaHash))) ??
        (login === undefined ? undefined : await this.ofLogin(login, value));
      return found && this.recognized(found, value);
    });
  }

  /**
   * As {@link find}, of the hashes that a login leads to alone: for who has checked it as a password, in the turn and on
   * the account of that check.
   */
  async findOfLogin(login: string, value: string): Promise<string | undefined> {
    if (!this.mayBe(value)) return undefined;
    const forms = await this.forms.read();
    const found = forms?.kinds.has('login') ? await this.ofLogin(login, value) : undefined;
    return found && this.recognized(found, value);
  }

  private async candidatesOf(texts: readonly string[]): Promise<Candidate[]> {
    const keys = texts.flatMap((text) => this.hashing.digestsOf(text, PURPOSE));
    const rows = await Promise.all(keys.map((key) => this.lookup.row(key.toString('hex'))));
    return rows.flatMap((row) =>
      (row?.candidates ?? []).map((candidate) => ({ ...candidate, lookup: row?.lookup ?? '' })),
    );
  }

  private async ofGrafana(derive: () => Promise<Buffer>): Promise<Candidate | undefined> {
    this.tries += 1;
    const [found] = await this.candidatesOf([`grafana ${(await derive()).toString('hex')}`]);
    return found;
  }

  private async ofLogin(login: string, value: string): Promise<Candidate | undefined> {
    const candidates = await this.statements.run<Candidate>(OF_LOGIN, [login]);
    return this.matching(candidates, value);
  }

  /** Hashes that the same work is compared with cost it once. */
  private async matching(candidates: readonly Candidate[], value: string): Promise<Candidate | undefined> {
    const byWork = new Map<string, { candidate: Candidate; hash: SaltedHash }[]>();
    for (const candidate of candidates) {
      const hash = candidate.hash === null ? undefined : parseStoredHash(candidate.hash);
      if (hash?.kind !== 'salted') continue;
      const alike = byWork.get(hash.work);
      if (alike) alike.push({ candidate, hash });
      else byWork.set(hash.work, [{ candidate, hash }]);
    }
    for (const alike of byWork.values()) {
      this.tries += 1;
      const derived = await alike[0]?.hash.derive(value);
      const found = alike.find(({ hash }) => matches(derived, hash));
      if (found) return found.candidate;
    }
    return undefined;
  }

  private async bounded(
    { address }: Presenter,
    find: () => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const network = networkOf(address);
    const failures = address === undefined ? this.failures.unknown : this.failures.address;
    const assertNotBlocked = (): void => {
      const retryAfterSeconds = failures.secondsBlocked(network);
      if (retryAfterSeconds === 0) return;
      const message = 'Too many wrong tokens, please try again later';
      throw new Refusal('tooMany', { message, retryAfterSeconds });
    };
    assertNotBlocked();
    return this.checks.run(network, async () => {
      // Again after the wait, so that guesses made at the same moment count as well.
      assertNotBlocked();
      const found = await find();
      if (found === undefined) failures.count(network);
      return found;
    });
  }

  /** Digests a value anew, unless that was done under today's key. */
  private async recognized(
    { tokenUuid, tokenId, kind, lookup: foundBy }: Candidate,
    value: string,
  ): Promise<string> {
    const lookup = lookupOf(this.hashing, 'value', value);
    if (kind === 'value' && foundBy === lookup.toString('hex')) return tokenId;
    const { digest, keyName } = this.hashing.digestToken(value);
    await this.statements.run(DIGEST_ANEW, [tokenUuid, lookup, new Date(), digest, keyName]);
    return tokenId;
  }
}

/** All that a value can be found by without trying a hash on it. */
function textsOf({ kinds, visible, keys }: Forms, value: string): string[] {
  return [
    `value ${value}`,
    ...(kinds.has('sha256') ? [`sha256 ${createHash('sha256').update(value).digest('hex')}`] : []),
    ...keys.map(
      ({ id, key }) => `hmac-sha256 ${id} ${createHmac('sha256', key).update(value).digest('hex')}`,
    ),
    ...visible.flatMap((lengths) => {
      const part = visiblePartOf(value, lengths);
      return part === undefined ? [] : [`visible ${part}`];
    }),
  ];
}
