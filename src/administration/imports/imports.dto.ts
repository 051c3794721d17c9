import { ApiProperty, PickType } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsObject, IsOptional, IsString, Matches } from 'class-validator';
import { Instant, IsInstant, IsPrintable, IsText, Optional, Trimmed } from '../../http/validation/fields.js';
import { ListQuery } from '../../native/list.dto.js';
import { ProblemError } from '../../native/problem.dto.js';
import { CreateToken } from '../tokens/tokens.dto.js';
import type { ImportedToken as ImportedTokenRow, SourceCounts } from './imports.service.js';

const REFERENCE = 100;
const NAME = 255;
const MAX_HASH = 1_000;

/** What may be seen of the value of a token. One of the two must be there. */
export class VisiblePart {
  /**
   * The first 4 to 32 characters.
   * @example 'ghp_'
   */
  @Optional()
  @IsString()
  @Matches(/^[!-~]{4,32}$/, { message: '$property must be 4 to 32 visible ASCII characters' })
  prefix?: string;

  /**
   * The last 4 to 32 characters.
   * @example 'e4efbf36'
   */
  @Optional()
  @IsString()
  @Matches(/^[!-~]{4,32}$/, { message: '$property must be 4 to 32 visible ASCII characters' })
  suffix?: string;
}

/** A token that another system has issued. */
export class ImportedTokenBody extends PickType(CreateToken, [
  'dialect',
  'owner',
  'name',
  'description',
  'scopes',
  'allowedCidrs',
] as const) {
  /**
   * Null: never expires. Omitted: after the default lifetime of the organization's policy, counted from the import, or
   * never.
   * @example '2031-05-06T07:08:09.000Z'
   */
  @IsOptional()
  @Instant()
  @IsInstant()
  expiresAt?: Date | null;

  /**
   * When the other system issued it; the lifetimes of the organization's policy count from there. Omitted: the import.
   * @example '2024-05-06T07:08:09.000Z'
   */
  @IsOptional()
  @Instant()
  @IsInstant()
  createdAt?: Date | null;

  /** @example '2026-05-06T07:08:09.000Z' */
  @IsOptional()
  @Instant()
  @IsInstant()
  lastUsedAt?: Date | null;

  /**
   * What the token is called in its source: by that it is known again when the import is repeated. Omitted: its hash.
   * @example '4711'
   */
  @IsOptional()
  @IsPrintable(NAME)
  foreignId?: string | null;

  /**
   * The hash that the source has stored, in one of the forms of docs/import.md: `sha256$…`, `hmac-sha256$key$…`, bcrypt,
   * PBKDF2 as PHC, passlib, Django, Foreman (`foreman$user id$…`) and Gitea (`gitea$salt$…`) write it, `grafana$…`.
   * @example 'sha256$9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
   */
  @IsPrintable(MAX_HASH)
  hash!: string;

  /** For a hash with salt: without it the value works first in HTTP Basic, beside its owner's login. */
  @IsOptional()
  @IsObject()
  visible?: VisiblePart | null;
}

/** What holds for all tokens of an import. */
export class ImportHead {
  /**
   * The system that the tokens come from: a name of your choice.
   * @example 'gitea'
   */
  @Trimmed()
  @IsPrintable(REFERENCE)
  source!: string;

  /** The keys of HMACs in base64, by the names that hashes use for them; at most 16. */
  @Optional()
  @IsObject()
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { main: 'c2VjcmV0' } })
  keys?: Record<string, string>;

  /** Whether to check all and write nothing. */
  @Optional()
  @IsBoolean()
  dryRun?: boolean;
}

/** The body that imports tokens. */
export class ImportTokens extends ImportHead {
  @ApiProperty({ minItems: 1, maxItems: 1000 })
  tokens!: ImportedTokenBody[];
}

/** One token of an import. */
export class ImportResult {
  /** @example 'pt-4fK2mZq81LxT' */
  tokenId: string;

  /** Whether it was made by this call, or was there already; of a dry run: would be. */
  outcome: 'imported' | 'existing';

  constructor(tokenId: string, isKnown: boolean) {
    this.tokenId = tokenId;
    this.outcome = isKnown ? 'existing' : 'imported';
  }
}

/** What came of an import; of a dry run, what would. */
export class ImportAnswer {
  /** @example false */
  dryRun!: boolean;

  /**
   * How many were imported; of a dry run, how many would be if those with errors were left out.
   * @example 998
   */
  imported!: number;

  /**
   * How many were imported before, and stay as they are.
   * @example 2
   */
  existing!: number;

  /** In the order of the request; empty for a dry run. */
  tokens!: ImportResult[];

  /** What is wrong with the tokens of a dry run, of the first hundred complaints. */
  errors!: ProblemError[];
}

/** The query of the list. */
export class ListImportsQuery extends ListQuery {
  /**
   * Where the tokens came from, as the import named it.
   * @example 'gitea'
   */
  @Optional()
  @IsText(REFERENCE)
  source?: string;

  /** Whether the value was used since the import. */
  @Optional()
  @IsIn(['waiting', 'used'])
  status?: 'waiting' | 'used';
}

/** An imported token. */
export class ImportedToken {
  /** @example 'pt-4fK2mZq81LxT' */
  tokenId: string;

  /** @example 'gitea' */
  source: string;

  /** @example '4711' */
  foreignId: string | null;

  /** @example 'ada' */
  owner: string;

  /** `waiting`: the value was not used since the import. */
  status: 'waiting' | 'used';

  importedAt: Date;

  /** When the value was used for the first time since the import, and hashed anew. */
  usedAt: Date | null;

  constructor({ tokenId, source, foreignId, login, importedAt, usedAt }: ImportedTokenRow) {
    this.tokenId = tokenId;
    this.source = source;
    this.foreignId = foreignId;
    this.owner = login;
    this.status = usedAt ? 'used' : 'waiting';
    this.importedAt = importedAt;
    this.usedAt = usedAt;
  }
}

/** One page of imported tokens, in the order of their uuids. */
export class ImportedTokenPage {
  items: ImportedToken[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'M2YwZTJhMzYtNWQ5ZS00YjBlLTlhNTUtOGExZDFjMGM2ZjNi'
   */
  nextCursor: string | null;

  constructor(rows: ImportedTokenRow[], nextCursor: string | undefined) {
    this.items = rows.map((row) => new ImportedToken(row));
    this.nextCursor = nextCursor ?? null;
  }
}

/** How far the move from one source is. */
export class ImportCounts {
  /** @example 'gitea' */
  source: string;

  /** @example 1200 */
  total: number;

  /**
   * Whose values were not used since the import.
   * @example 200
   */
  waiting: number;

  /**
   * Whose values were used, and hashed anew.
   * @example 950
   */
  used: number;

  /**
   * Revoked or expired tokens among those that wait: their values are not expected any more.
   * @example 50
   */
  ended: number;

  constructor({ source, total, waiting, used, ended }: SourceCounts) {
    this.source = source;
    this.total = total;
    this.waiting = waiting;
    this.used = used;
    this.ended = ended;
  }
}

/** How far all moves are. */
export class ImportSummary {
  /** @example 1200 */
  total: number;

  /** @example 200 */
  waiting: number;

  /** @example 950 */
  used: number;

  /** @example 50 */
  ended: number;

  bySource: ImportCounts[];

  constructor(bySource: SourceCounts[]) {
    const sum = (key: 'total' | 'waiting' | 'used' | 'ended'): number =>
      bySource.reduce((all, counts) => all + counts[key], 0);
    this.total = sum('total');
    this.waiting = sum('waiting');
    this.used = sum('used');
    this.ended = sum('ended');
    this.bySource = bySource.map((counts) => new ImportCounts(counts));
  }
}
