import { Injectable } from '@nestjs/common';
import { Listings } from '../../database/listings.js';
import { Snapshots } from '../../database/snapshots.js';
import { StatementCounts, Statements } from '../../database/statements.js';
import { Transactions } from '../../database/transactions.js';
import { Idempotency } from '../../tokens/idempotency/idempotency.js';
import { PolicyEnforcement } from '../../tokens/policy/policy-enforcement.js';
import { TokenService } from '../../tokens/token.service.js';
import { MetricRegistry } from './metric-registry.js';

/** Changes of tokens, and what the database is asked. */
@Injectable()
export class ChangeMetrics {
  constructor(
    registry: MetricRegistry,
    transactions: Transactions,
    statements: Statements,
    { byKind }: StatementCounts,
    snapshots: Snapshots,
    listings: Listings,
    tokens: TokenService,
    idempotency: Idempotency,
    policies: PolicyEnforcement,
  ) {
    registry.counters(
      'patois_statements_total',
      'Statements sent to the database, by kind; those that verification looks tokens up with are patois_lookups_total.',
      ['kind'],
      () => [...byKind].map(([kind, count]) => ({ labels: { kind }, value: count })),
    );
    registry.gauge(
      'patois_reads_waiting',
      'Reads that wait for a connection.',
      () => statements.waitingCount,
    );
    registry.gauge('patois_exports', 'Exports under way.', () => snapshots.openCount);
    registry.counter(
      'patois_standby_reads_total',
      'Lists and exports read from the standby.',
      () => listings.total.read,
    );
    registry.counter(
      'patois_standby_passed_over_total',
      'Lists and exports read from the primary, for the standby was behind or away.',
      () => listings.total.passedOver,
    );
    registry.gauge('patois_changes_running', 'Changes under way.', () => transactions.load.running);
    registry.gauge(
      'patois_changes_waiting',
      'Changes that wait for their turn.',
      () => transactions.load.waiting,
    );
    registry.counter('patois_changes_total', 'Changes that had their turn.', () => transactions.total.begun);
    registry.counter(
      'patois_changes_busy_total',
      'Changes told to come again.',
      () => transactions.total.refused,
    );
    registry.counter(
      'patois_change_wait_seconds_total',
      'Time that changes waited for their turn.',
      () => transactions.total.waitedSeconds,
    );
    registry.counter('patois_rotations_total', 'Tokens that got a new value.', () => tokens.rotations);
    registry.counter(
      'patois_replays_total',
      'Repeated requests that got the answer of the first.',
      () => idempotency.replays,
    );
    registry.counters(
      'patois_policy_refusals_total',
      "Changes of tokens that an organization's policy refused, by rule and by the dialect of the token.",
      ['rule', 'dialect'],
      () => policies.sums().map(({ rule, dialect, count }) => ({ labels: { rule, dialect }, value: count })),
    );
  }
}
