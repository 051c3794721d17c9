import { Type } from 'class-transformer';
import { IsBoolean, IsInt, IsObject, Min, ValidateIf, ValidateNested } from 'class-validator';
import { IsText, Optional } from '../../http/validation/fields.js';
import { Token, TokenFilter } from '../tokens/tokens.dto.js';

const MAX_REASON = 1_000;

/** The body that ends many tokens. */
export class CreateRevocation {
  /** Which tokens are meant: all keys of the list of tokens. An empty one takes `everything`. */
  @IsObject()
  @ValidateNested()
  @Type(() => TokenFilter)
  filter!: TokenFilter;

  /**
   * Stored with each token and in the audit trail. May be left out with `dryRun`.
   * @example 'The build server was broken into'
   */
  @ValidateIf(({ dryRun, reason }: CreateRevocation) => dryRun !== true || reason !== undefined)
  @IsText(MAX_REASON)
  reason?: string;

  /** Whether only to count. A token needs `patois:tokens.read` as well. */
  @Optional()
  @IsBoolean()
  dryRun?: boolean;

  /**
   * How many tokens are meant, as a dry run has said: if it is another number now, nothing is revoked.
   * @example 312
   */
  @Optional()
  @IsInt()
  @Min(0)
  expectedCount?: number;

  /** Whether an empty filter is meant: all tokens that the caller may revoke. */
  @Optional()
  @IsBoolean()
  everything?: boolean;
}

/** What a revocation would end. */
export class RevocationPreview {
  /**
   * How many tokens the filter means that are not revoked; expired and inactive ones count.
   * @example 312
   */
  count: number;

  /** Up to 100 of them, newest first. */
  sample: Token[];

  constructor(count: number, sample: Token[]) {
    this.count = count;
    this.sample = sample;
  }
}
