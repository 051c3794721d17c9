import { Injectable } from '@nestjs/common';
import { hash, verify } from 'node:crypto';
import { FailureCounter } from '../../hashing/failure-counter.js';
import { networkOf } from '../../network/cidr.js';
import type { Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import { type Leak, LeakedTokens, MAX_LEAKS } from '../../tokens/leaks/leaked-tokens.js';
import { GitHubKeys } from './github-keys.js';
import { GitHubLabel, type GitHubMatch } from './leaks.dto.js';
import { reporterOf } from './leaks.service.js';

const MAX_FAILURES_OF_ADDRESS = 30;
const WINDOW_SECONDS = 60;
/** Of what is kept of a match, each. */
const MAX_TEXT = 2_000;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** What a report is signed with, as its headers have it; undefined where one is missing or there twice. */
export interface ReportSignature {
  keyIdentifier: string | undefined;
  signature: string | undefined;
}

/**
 * Reports of GitHub's secret scanning, which signs them.
 *
 * @see https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
 */
@Injectable()
export class GitHubReportService {
  private readonly failures = new FailureCounter(MAX_FAILURES_OF_ADDRESS, WINDOW_SECONDS);

  constructor(
    private readonly keys: GitHubKeys,
    private readonly leaks: LeakedTokens,
  ) {}

  /**
   * @param bytes of the body, which are what is signed.
   * @param body the same, read.
   * @throws {Refusal} notFound where no keys are configured; forbidden for what GitHub has not signed; tooMany; invalid;
   *   unavailable where the keys cannot be read.
   */
  async report(
    signature: ReportSignature,
    bytes: Buffer,
    body: unknown,
    origin: Origin,
  ): Promise<GitHubLabel[]> {
    if (!this.keys.areConfigured) {
      const message = "This server takes no reports of GitHub's: GITHUB_SECRET_SCANNING_KEYS is not set";
      throw new Refusal('notFound', { message });
    }
    await this.assertSigned(signature, bytes, origin);
    const matches = matchesOf(body);
    const reporter = reporterOf(origin, 'GitHub');
    const labels: GitHubLabel[] = [];
    for (let start = 0; start < matches.length; start += MAX_LEAKS) {
      const some = matches.slice(start, start + MAX_LEAKS);
      const areTokens = await this.leaks.report(some.map(leakOf), reporter);
      for (const [index, { token, type }] of some.entries()) {
        labels.push(new GitHubLabel(hash('sha256', token, 'base64'), type, areTokens[index] === true));
      }
    }
    return labels;
  }

  private async assertSigned(
    { keyIdentifier, signature }: ReportSignature,
    bytes: Buffer,
    { address }: Origin,
  ): Promise<void> {
    const network = networkOf(address);
    const retryAfterSeconds = this.failures.secondsBlocked(network);
    if (retryAfterSeconds > 0) {
      const message = 'Too many reports with wrong signatures, please try again later';
      throw new Refusal('tooMany', { message, retryAfterSeconds });
    }
    if (keyIdentifier !== undefined && signature !== undefined && BASE64.test(signature)) {
      const key = await this.keys.find(keyIdentifier);
      if (key && verify('sha256', bytes, key, Buffer.from(signature, 'base64'))) return;
    }
    this.failures.count(network);
    throw new Refusal('forbidden', { message: 'GitHub has not signed this' });
  }
}

/** @throws {Refusal} invalid, with the place of what is wrong. */
function matchesOf(body: unknown): GitHubMatch[] {
  if (!Array.isArray(body)) throw Refusal.ofField([], 'isArray', 'The body must be a list of matches');
  return body.map((match: unknown, index) => {
    const { token, type, url, source } = (match ?? {}) as Record<string, unknown>;
    for (const [key, value] of Object.entries({ token, type })) {
      if (typeof value === 'string') continue;
      throw Refusal.ofField([String(index), key], 'isString', `${key} must be a string`);
    }
    return {
      token: token as string,
      type: type as string,
      ...(typeof url === 'string' ? { url } : {}),
      ...(typeof source === 'string' ? { source } : {}),
    };
  });
}

function leakOf({ token, type, url, source }: GitHubMatch): Leak {
  const found = { source: 'GitHub', type, url, foundIn: source };
  const kept = Object.entries(found).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return {
    value: token,
    found: Object.fromEntries(kept.map(([key, text]) => [key, text.slice(0, MAX_TEXT).toWellFormed()])),
  };
}
