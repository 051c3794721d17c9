import { randomUUID } from 'node:crypto';
import { type ChangeFeed, EVERYTHING } from '../../database/changes/change-feed.js';
import { isProven, type Reading, type ReplicationState } from '../../database/changes/change-listener.js';
import { type Statements, statementOf } from '../../database/statements.js';
import type { HashingService } from '../../hashing/hashing.service.js';
import type { MaybePromise } from '../../maybe-promise.js';
import type { ImportedKind } from './imported-value.entity.js';

/** The key of a change after which more values than before may be imported ones. */
export const IMPORTS = 'imports';

export const READ_FORMS = statementOf(
  'imported-forms',
  'SELECT kind, detail, sealed_key FROM imported_forms ORDER BY kind, detail',
);
const SEAL_ANEW = statementOf(
  'seal-form-anew',
  `UPDATE imported_forms SET sealed_key = $4 WHERE kind = $1 AND detail = $2 AND sealed_key = $3 RETURNING 1 AS sealed`,
);

export interface FormRow {
  kind: ImportedKind;
  detail: string;
  sealed_key: string | null;
}

/** How many characters of a value may be seen, at its start and at its end. */
export interface VisibleLengths {
  prefix: number;
  suffix: number;
}

/** All ways in which imported values are to be found. */
export interface Forms {
  kinds: ReadonlySet<ImportedKind>;
  visible: readonly VisibleLengths[];
  /** The keys of HMACs, by their names in the store. */
  keys: readonly { id: string; key: Buffer }[];
}

export function detailOf({ prefix, suffix }: VisibleLengths): string {
  return `${prefix},${suffix}`;
}

/** A key of an HMAC as it is kept. */
export function sealForm(key: Buffer, hashing: HashingService): { id: string; sealedKey: string } {
  const id = randomUUID();
  return { id, sealedKey: hashing.seal(key.toString('base64'), bindingOf(id)) };
}

/** Undefined where the key of the ring is gone that it was sealed under. */
export function openForm(
  { detail, sealed_key: sealedKey }: FormRow,
  hashing: HashingService,
): Buffer | undefined {
  const text = sealedKey === null ? undefined : hashing.open(sealedKey, bindingOf(detail));
  return text === undefined ? undefined : Buffer.from(text, 'base64');
}

function bindingOf(id: string): string {
  return `key of imports ${id}`;
}

/**
 * Remembers in which ways imported values are to be found: in none, where nothing was ever imported, which then costs
 * nothing. It is as recent as every look-up is, by the same proof.
 */
export class ImportedForms {
  private known: (Reading & { forms: Forms | undefined }) | undefined;
  private isStale = true;
  private reading: Promise<Forms | undefined> | undefined;

  constructor(
    private readonly statements: Statements,
    private readonly hashing: HashingService,
    private readonly replication: Readonly<ReplicationState> | undefined,
    private readonly boundMs: number,
    feed: ChangeFeed,
  ) {
    feed.onChange((keys) => {
      if (!keys.has(IMPORTS) && !keys.has(EVERYTHING)) return;
      this.isStale = true;
      // One that is under way may have read what was there before: who asks from now on reads again.
      this.reading = undefined;
    });
  }

  /** Whether there may be imported values, as far as can be said without asking. */
  get mayExist(): boolean {
    return !this.isCurrent() || this.known?.forms !== undefined;
  }

  /** Undefined: nothing was ever imported. */
  read(): MaybePromise<Forms | undefined> {
    if (this.known && this.isCurrent()) return this.known.forms;
    this.reading ??= this.readAnew();
    return this.reading;
  }

  private isCurrent(): boolean {
    // Half the bound: what rests on it is remembered for the other half.
    return (
      !this.isStale && this.known !== undefined && isProven(this.replication, this.known, this.boundMs / 2)
    );
  }

  private readAnew(): Promise<Forms | undefined> {
    const begun = { readAt: performance.now(), epoch: this.replication?.epoch ?? 0 };
    const reading = this.statements.run<FormRow>(READ_FORMS, []).then(
      (rows) => {
        const forms = this.formsOf(rows);
        if (this.reading === reading) {
          this.known = { ...begun, forms };
          this.isStale = false;
          this.reading = undefined;
        }
        return forms;
      },
      (error: unknown) => {
        if (this.reading === reading) this.reading = undefined;
        // Where nothing was imported when last asked, what is no token is none: also while the database is away.
        if (this.known && !this.known.forms) return undefined;
        throw error;
      },
    );
    return reading;
  }

  private formsOf(rows: readonly FormRow[]): Forms | undefined {
    if (rows.length === 0) return undefined;
    const keys: Forms['keys'][number][] = [];
    for (const row of rows) {
      const key = openForm(row, this.hashing);
      if (!key) continue;
      keys.push({ id: row.detail, key });
      this.sealAnew(row, key);
    }
    return {
      kinds: new Set(rows.map(({ kind }) => kind)),
      visible: rows
        .filter(({ kind }) => kind === 'visible')
        .map(({ detail }) => {
          const [prefix = 0, suffix = 0] = detail.split(',').map(Number);
          return { prefix, suffix };
        }),
      keys,
    };
  }

  /** Moves a key to the ring's signing one. What fails is done at the next reading. */
  private sealAnew({ kind, detail, sealed_key: sealed }: FormRow, key: Buffer): void {
    if (sealed === null || this.hashing.isSealedCurrently(sealed)) return;
    const anew = this.hashing.seal(key.toString('base64'), bindingOf(detail));
    this.statements.run(SEAL_ANEW, [kind, detail, sealed, anew]).catch(() => undefined);
  }
}
