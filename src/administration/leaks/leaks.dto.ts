import { ArrayMaxSize, ArrayMinSize, IsArray, IsString, MaxLength } from 'class-validator';
import { IsText, Optional } from '../../http/validation/fields.js';
import { MAX_LEAKS } from '../../tokens/leaks/leaked-tokens.js';

const MAX_SOURCE = 1_000;
/** A token's value has 65 characters. */
const MAX_VALUE = 512;

/** The body of a report. */
export class ReportLeaks {
  /**
   * What was found: each a whole text that may be the value of a token.
   * @example ['pt-4fK2mZq81LxT_…']
   */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LEAKS)
  @IsString({ each: true })
  @MaxLength(MAX_VALUE, { each: true })
  values!: string[];

  /**
   * Where it was found, for people; kept in the audit trail.
   * @example 'https://paste.example/4711'
   */
  @Optional()
  @IsText(MAX_SOURCE)
  source?: string;
}

/** The answer to every report. */
export class LeaksReceived {
  /** @example 'received' */
  status: string = 'received';
}

/** What GitHub is told of one match, as its partner program has it. */
export class GitHubLabel {
  /**
   * The SHA-256 of the text, in base64.
   * @example '9IQG/bMVXI4FIKjzPUJw9pwYrl5rwyRg5s1TxHPHRFg='
   */
  token_hash: string;

  /**
   * As GitHub named the type.
   * @example 'patois_api_token'
   */
  token_type: string;

  /**
   * Whether the text is, or was, the value of a token.
   * @example 'true_positive'
   */
  label: 'true_positive' | 'false_positive';

  constructor(hash: string, type: string, isToken: boolean) {
    this.token_hash = hash;
    this.token_type = type;
    this.label = isToken ? 'true_positive' : 'false_positive';
  }
}

/** One match of GitHub's; keys that are not named here are ignored. */
export class GitHubMatch {
  /** @example 'pt-4fK2mZq81LxT_…' */
  token!: string;

  /** @example 'patois_api_token' */
  type!: string;

  /** @example 'https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt' */
  url?: string | null;

  /**
   * What GitHub found it in.
   * @example 'content'
   */
  source?: string | null;
}
