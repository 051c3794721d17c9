import { Injectable, Logger, StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditAction } from '../../audit/audit-event.entity.js';
import { AuditWriter } from '../../audit/audit.writer.js';
import type { Principal } from '../../auth/principal.js';
import {
  MAX_SNAPSHOTS,
  type Snapshot,
  Snapshots,
  type SnapshotSelect,
  tooManySnapshots,
} from '../../database/snapshots.js';
import { Statements } from '../../database/statements.js';
import { Transactions } from '../../database/transactions.js';
import { Refusal } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';
import { Admission } from '../../tokens/authority/admission.js';
import { turnstile } from '../../turnstile.js';
import { type ExportedRow, type ExportFormat, type ExportFormatName, FORMATS } from './export-format.js';
import { ExportStream } from './export-stream.js';

/** What is exported. */
export interface ExportSpec<Row> {
  /** As the audit trail has it. */
  action: AuditAction;
  /** As the file is called. */
  name: string;
  format: ExportFormatName;
  /** What the caller asked for, for the audit trail. */
  filter: object;
  /** @param asOf when it begins. */
  select: (asOf: Date) => SnapshotSelect<Row>;
  columns: readonly string[];
  show: (row: Row, asOf: Date) => ExportedRow;
}

/** Beside the limit of all together: one user leaves room for others. */
const MAX_OF_A_USER = 2;
const RETRY_AFTER_SECONDS = 10;
/** How often it is asked again whether the caller may go on. Who may not gets no more than what is read within it. */
export const ASKING = { intervalMs: 5_000 };
/** The longest rest after a portion; it is as long as the portion took, so that half of the time is others'. */
const MAX_REST_MS = 20;
/** Rows that are written in one turn of the event loop: less than a millisecond's work. */
const ROWS_A_TURN = 25;

/** Exports of any number of rows, as they stood when the export began. */
@Injectable()
export class Exports {
  private readonly logger = new Logger(Exports.name);
  /** How many each user has under way. */
  private readonly underWay = new Map<string, number>();

  constructor(
    private readonly transactions: Transactions,
    private readonly admission: Admission,
    private readonly audit: AuditWriter,
    private readonly snapshots: Snapshots,
    private readonly statements: Statements,
  ) {}

  /**
   * Begins an export: its audit event is written, and its first rows are read, when this returns.
   *
   * @param reply by which it leaves.
   * @throws {Refusal} unauthenticated, forbidden: the caller is not what it was; unavailable and tooMany, when as many
   *   exports are under way as may be.
   */
  async begin<Row extends object>(
    caller: Principal,
    spec: ExportSpec<Row>,
    reply: Pick<FastifyReply, 'raw'>,
  ): Promise<StreamableFile> {
    const { id } = caller.user;
    this.enter(id);
    try {
      await this.record(caller, spec);
      const asOf = new Date();
      const snapshot = await this.snapshots.open(spec.select(asOf), asOf);
      // Who goes away ends the query that is made for them, be it the first.
      if (reply.raw.destroyed) await snapshot.close();
      reply.raw.once('close', () => void snapshot.close());
      try {
        const first = await snapshot.next();
        const portions = this.portionsOf(snapshot, first, caller);
        const stream = new ExportStream(textsOf(spec, portions, asOf), () => snapshot.close());
        stream.once('error', (error) => this.logFailure(spec, error));
        stream.once('close', () => this.leave(id));
        return new StreamableFile(stream, headersOf(spec, asOf));
      } catch (error) {
        await snapshot.close();
        throw error;
      }
    } catch (error) {
      this.leave(id);
      throw error;
    }
  }

  /** What {@link begin} would answer to `HEAD`: its headers, without a row read, and without an event. */
  headOf<Row>(spec: ExportSpec<Row>): StreamableFile {
    return new StreamableFile(Buffer.alloc(0), headersOf(spec, new Date()));
  }

  /** Asks again who calls, and commits the event before the first byte leaves. */
  private record<Row>(caller: Principal, { action, format, filter }: ExportSpec<Row>): Promise<void> {
    return this.transactions.run(caller.user.id, async (transaction) => {
      await this.admission.admit(transaction, caller);
      const [type = action] = action.split('.');
      await this.audit.write(transaction.last, {
        actor: caller.actor,
        action,
        object: { type, id: null },
        after: { format, filter },
      });
    });
  }

  /** All rows, of which none is empty; each is read while the caller is what it was, or was so moments ago. */
  private async *portionsOf<Row>(
    snapshot: Snapshot<Row>,
    first: Row[],
    caller: Principal,
  ): AsyncGenerator<Row[], void> {
    let askedAt = performance.now();
    let beganAt = askedAt;
    for (let rows = first; rows.length > 0; rows = await snapshot.next()) {
      yield rows;
      await pause(Math.min(performance.now() - beganAt, MAX_REST_MS));
      beganAt = performance.now();
      if (performance.now() - askedAt < ASKING.intervalMs) continue;
      await this.assertUnchanged(caller);
      askedAt = performance.now();
    }
    // The reader may take the rest when it likes: nothing is held for it.
    await snapshot.close();
  }

  /** @throws {Refusal} unauthenticated, forbidden: the caller is less than when the export began. */
  private async assertUnchanged(caller: Principal): Promise<void> {
    const { powers } = await this.admission.admit(this.statements, caller);
    const { organizationId } = caller.user;
    const isLess =
      (caller.isAdministrator && !powers.isAdministrator) ||
      (caller.administers(organizationId) && !powers.administers(organizationId));
    if (isLess) throw new Refusal('forbidden', { reason: 'role', message: 'the role is less than it was' });
  }

  /** Before anything is written or waited for: what is refused leaves no event. */
  private enter(userId: string): void {
    const total = [...this.underWay.values()].reduce((sum, of) => sum + of, 0);
    if (total >= MAX_SNAPSHOTS) throw tooManySnapshots();
    const count = this.underWay.get(userId) ?? 0;
    if (count >= MAX_OF_A_USER) {
      const message = `No more than ${MAX_OF_A_USER} exports of one user at once`;
      throw new Refusal('tooMany', { message, retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    this.underWay.set(userId, count + 1);
  }

  private leave(userId: string): void {
    const count = this.underWay.get(userId) ?? 0;
    if (count > 1) this.underWay.set(userId, count - 1);
    else this.underWay.delete(userId);
  }

  private logFailure({ action }: { action: AuditAction }, error: Error): void {
    this.logger.warn(withoutSecrets(`${action}: broken off: ${error.message}`));
  }
}

async function* textsOf<Row>(
  { format: name, columns, show }: ExportSpec<Row>,
  portions: AsyncIterable<Row[]>,
  asOf: Date,
): AsyncGenerator<string> {
  const format = FORMATS[name];
  let count = 0;
  let head = format.head(columns);
  for await (const rows of portions) {
    for (let from = 0; from < rows.length; from += ROWS_A_TURN) {
      await turnstile.turn();
      const shown = rows.slice(from, from + ROWS_A_TURN).map((row) => show(row, asOf));
      yield head + format.rows(shown);
      head = '';
    }
    count += rows.length;
  }
  yield head + format.trailer(columns, count, asOf);
}

/** RFC 6266; a name without anything that would have to be encoded. */
function headersOf<Row>(
  { name, format }: ExportSpec<Row>,
  asOf: Date,
): { type: string; disposition: string } {
  const time = asOf.toISOString().replace(/\.\d+/, '').replaceAll(':', '');
  const { mediaType }: ExportFormat = FORMATS[format];
  return { type: mediaType, disposition: `attachment; filename="patois-${name}-${time}.${format}"` };
}
