import { Injectable } from '@nestjs/common';
import type { Actor } from '../../audit/audit.writer.js';
import { FailureCounter } from '../../hashing/failure-counter.js';
import { networkOf } from '../../network/cidr.js';
import { keptUserAgent, type Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import { LeakedTokens } from '../../tokens/leaks/leaked-tokens.js';
import type { ReportLeaks } from './leaks.dto.js';

const MAX_REPORTS_OF_ADDRESS = 60;
const WINDOW_SECONDS = 60;

/** Reports of strangers: anybody may say that a value has leaked, for whoever has it could end the token as well. */
@Injectable()
export class LeakReportService {
  private readonly ofAddress = new FailureCounter(MAX_REPORTS_OF_ADDRESS, WINDOW_SECONDS);

  constructor(private readonly leaks: LeakedTokens) {}

  /** @throws {Refusal} tooMany for an address that has reported very often; unavailable, and nothing is done. */
  async report({ values, source }: ReportLeaks, origin: Origin): Promise<void> {
    this.count(origin);
    const found: Record<string, string> = source === undefined ? {} : { source };
    const reports = [...new Set(values)].map((value) => ({ value, found }));
    await this.leaks.report(reports, reporterOf(origin, 'reporter'));
  }

  private count({ address }: Origin): void {
    const network = networkOf(address);
    const retryAfterSeconds = this.ofAddress.secondsBlocked(network);
    if (retryAfterSeconds > 0) {
      const message = 'Too many reports from this address, please try again later';
      throw new Refusal('tooMany', { message, retryAfterSeconds });
    }
    this.ofAddress.count(network);
  }
}

/** Somebody whom nobody has asked for a credential. */
export function reporterOf({ address, userAgent, requestId }: Origin, name: string): Actor {
  return {
    type: 'system',
    id: null,
    auditId: null,
    name,
    createdAt: null,
    address: address ?? null,
    userAgent: keptUserAgent(userAgent),
    requestId,
  };
}
