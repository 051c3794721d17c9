import { Inject, Injectable } from '@nestjs/common';
import type { StatementRunner } from '../../database/statements.js';
import { AUDIT_KEYS, type AuditKeys } from '../audit-keys.js';
import { type SealStatement, signedTextOf } from './audit-seal.entity.js';
import { type EventRow, eventOf } from './event-rows.js';
import { textOf } from './event-text.js';
import { SealKeys } from './seal-keys.js';
import { isSignedBy } from './signatures.js';

/** Replicas of a version without codes may write so long after the first seal. */
const UPGRADE_MS = 3_600_000;

/** Tells the events that a server wrote from what was written past it. */
@Injectable()
export class GenuineEvents {
  constructor(
    @Inject(AUDIT_KEYS) private readonly keys: AuditKeys,
    private readonly sealKeys: SealKeys,
  ) {}

  /**
   * Whether an event has the code that only who holds the ring can make, or was there before codes.
   *
   * @param text its text, where that is made already.
   */
  isGenuine(row: EventRow, allowsOld: boolean, text = textOf(eventOf(row))): boolean {
    return row.mac === null ? allowsOld : this.keys.matches(text, row.mac);
  }

  /**
   * Whether events without a code may be those of replicas of an older version: within an hour of the first seal, as that
   * is signed, if its first event has none either. A store that was new with seals never had such replicas.
   */
  async areOldAllowed(runner: StatementRunner, now = Date.now()): Promise<boolean> {
    const text = `
      SELECT s.sequence, s.first_event AS "firstEvent", s.last_event AS "lastEvent", s.events, s.root,
        s.previous_root AS "previousRoot", s.sealed_at AS "sealedAt", s.key, s.signature
      FROM audit_seals s JOIN audit_events e ON e.id = s.first_event AND e.mac IS NULL WHERE s.sequence = 1`;
    const [first] = await runner.run<SealStatement & { signature: string }>(
      { kind: 'seals', name: 'first-seal', text },
      [],
    );
    if (!first || Math.abs(now - first.sealedAt.getTime()) > UPGRADE_MS) return false;
    const key = (await this.sealKeys.trusted(runner)).get(first.key);
    return key !== undefined && isSignedBy(key, signedTextOf(first), first.signature);
  }
}
