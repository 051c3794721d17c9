import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditWriter } from '../../audit/audit.writer.js';
import { runnerOf, Values } from '../../database/statements.js';
import { Refusal } from '../../refusal.js';
import { Semaphore } from '../../semaphore.js';
import type { Authority } from '../authority/authority.js';
import { meaning } from './revocation-targets.js';
import type { RevocationSpec } from './revocations.js';

const MAX_SAMPLE = 100;
/** Each reads all tokens at worst: one at a time, and few that wait. */
const MAX_WAITING = 20;
const MAX_WAIT_MS = 10_000;

/** Says what a revocation would end, before anything is. */
@Injectable()
export class RevocationPreview {
  private readonly turns = new Semaphore(1, MAX_WAITING, tooMany, MAX_WAIT_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * How many tokens would be ended, and the uuids of some of them, newest first; it is an audit event.
   *
   * @throws {Refusal} unavailable where many ask at once.
   */
  async of(
    { filter, written }: RevocationSpec,
    { actor }: Authority,
  ): Promise<{ count: number; sample: string[] }> {
    const { place, list } = new Values();
    const text = `
      WITH meant AS MATERIALIZED (SELECT token.id, token.created_at FROM tokens token
        WHERE token.revoked_at IS NULL AND ${meaning(filter ?? null)(place).condition})
      SELECT (SELECT count(*)::int FROM meant) AS count,
        ARRAY(SELECT id FROM meant ORDER BY created_at DESC, id DESC LIMIT ${MAX_SAMPLE}) AS sample`;
    const [found] = await this.turns.run(actor.id ?? '', () =>
      this.dataSource.query<{ count: number; sample: string[] }[]>(text, list),
    );
    if (!found) throw new Error('A count without a row');
    await this.audit.write(runnerOf(this.dataSource.manager), {
      actor,
      action: 'revocation.preview',
      object: { type: 'revocation', id: null },
      after: { filter: written, count: found.count },
    });
    return found;
  }
}

function tooMany(): Refusal {
  const message = 'Too many previews at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}
