import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Pruner } from '../../audit/chain/pruner.js';
import { SealLag } from '../../audit/chain/seal-lag.js';
import { Sealer } from '../../audit/chain/sealer.js';
import { StatementCounts, Statements } from '../../database/statements.js';
import { Transactions } from '../../database/transactions.js';
import { ChangeListener } from '../../database/changes/change-listener.js';
import { CachedLookup } from '../../decisions/cached-lookup.js';
import { RotatedTokens } from '../../decisions/rotated-tokens.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { UsageRecorder } from '../../decisions/usage-recorder.js';
import { JobRunner } from '../../jobs/job-runner.js';
import { NoticeSender } from '../../notices/notice-sender.js';
import { Idempotency } from '../../tokens/idempotency/idempotency.js';
import { PolicyEnforcement } from '../../tokens/policy/policy-enforcement.js';
import { TokenService } from '../../tokens/token.service.js';

/** From what a decision from memory takes to what a client gives up on. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Shown before the first heartbeat has come back. */
const MAX_SECONDS_BEHIND = 86_400;

/**
 * What Prometheus reads. Labels are patterns of routes and names of dialects, never what a client chose: no path, token,
 * token id or login.
 */
@Injectable()
export class Metrics {
  /** Not prom-client's process-wide one: two apps in a process count for themselves. */
  readonly registry = new Registry();
  private readonly requests = new Counter({
    name: 'patois_http_requests_total',
    help: 'Requests answered, by method, pattern of the route, owner of the path and status.',
    labelNames: ['method', 'route', 'dialect', 'status'],
    registers: [this.registry],
  });
  private readonly durations = new Histogram({
    name: 'patois_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer.',
    labelNames: ['method', 'route', 'dialect', 'status'],
    buckets: SECONDS,
    registers: [this.registry],
  });

  constructor(
    { counter }: DecisionService,
    lookup: CachedLookup,
    listener: ChangeListener,
    usage: UsageRecorder,
    transactions: Transactions,
    statements: Statements,
    { byKind }: StatementCounts,
    tokens: TokenService,
    rotated: RotatedTokens,
    idempotency: Idempotency,
    policies: PolicyEnforcement,
    jobs: JobRunner,
    notices: NoticeSender,
    sealer: Sealer,
    sealLag: SealLag,
    pruner: Pruner,
  ) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    new Counter({
      name: 'patois_verdicts_total',
      help: 'Verdicts on tokens, by outcome and by the dialect of the token.',
      labelNames: ['outcome', 'dialect'],
      registers,
      collect() {
        this.reset();
        for (const { outcome, dialect, count } of counter.sums()) this.inc({ outcome, dialect }, count);
      },
    });
    new Counter({
      name: 'patois_policy_refusals_total',
      help: "Changes of tokens that an organization's policy refused, by rule and by the dialect of the token.",
      labelNames: ['rule', 'dialect'],
      registers,
      collect() {
        this.reset();
        for (const { rule, dialect, count } of policies.sums()) this.inc({ rule, dialect }, count);
      },
    });
    new Counter({
      name: 'patois_statements_total',
      help: 'Statements sent to the database, by kind; those that verification looks tokens up with are patois_lookups_total.',
      labelNames: ['kind'],
      registers,
      collect() {
        this.reset();
        for (const [kind, count] of byKind) this.inc({ kind }, count);
      },
    });
    new Gauge({
      name: 'patois_jobs',
      help: 'Jobs that are not over, of all replicas, by kind and status, as of the last few seconds.',
      labelNames: ['kind', 'status'],
      registers,
      collect() {
        this.reset();
        for (const { kind, status, count } of jobs.open) this.set({ kind, status }, count);
      },
    });
    new Counter({
      name: 'patois_jobs_ended_total',
      help: 'Jobs that this process has ended, by kind and by how: done, failed or cancelled.',
      labelNames: ['kind', 'status'],
      registers,
      collect() {
        this.reset();
        for (const { kind, status, count } of jobs.ended) this.inc({ kind, status }, count);
      },
    });
    new Counter({
      name: 'patois_notices_total',
      help: 'Notices that this process has sent, by kind of channel and outcome: delivered, retried or failed (given up).',
      labelNames: ['kind', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const { kind, how, count } of notices.sums) this.inc({ kind, outcome: how }, count);
      },
    });
    this.gauge(
      'patois_notices_oldest_waiting_seconds',
      'For how long the oldest notice waits, of all replicas, as of the last few seconds; 0 where none does.',
      () => notices.oldestSeconds,
    );
    this.counter(
      'patois_audit_seals_total',
      'Seals over the audit trail that this process has made.',
      () => sealer.counts.seals,
    );
    this.counter(
      'patois_audit_sealed_events_total',
      'Audit events that this process has sealed.',
      () => sealer.counts.events,
    );
    this.counter(
      'patois_audit_seals_lost_total',
      'How often this process found the newest seal gone or another.',
      () => sealer.counts.lost,
    );
    this.gauge(
      'patois_audit_unsealed_age_seconds',
      'Age of the oldest audit event that has no seal, of all replicas, as of the last scrape.',
      () => sealLag.seconds,
    );
    this.counter(
      'patois_audit_pruned_events_total',
      'Audit events older than AUDIT_RETENTION that this process has deleted.',
      () => pruner.pruned,
    );
    this.gauge('patois_changes_running', 'Changes under way.', () => transactions.load.running);
    this.gauge(
      'patois_changes_waiting',
      'Changes that wait for their turn.',
      () => transactions.load.waiting,
    );
    this.counter('patois_changes_total', 'Changes that had their turn.', () => transactions.total.begun);
    this.counter(
      'patois_changes_busy_total',
      'Changes told to come again.',
      () => transactions.total.refused,
    );
    this.counter(
      'patois_change_wait_seconds_total',
      'Time that changes waited for their turn.',
      () => transactions.total.waitedSeconds,
    );
    this.gauge('patois_reads_waiting', 'Reads that wait for a connection.', () => statements.waitingCount);
    this.counter('patois_rotations_total', 'Tokens that got a new value.', () => tokens.rotations);
    this.counter(
      'patois_replays_total',
      'Repeated requests that got the answer of the first.',
      () => idempotency.replays,
    );
    this.counter('patois_reuses_total', 'Retired values that turned up.', () => rotated.reuses);
    this.gauge('patois_remembered_verdicts', 'Tokens and unknown values in memory.', () => lookup.remembered);
    this.counter(
      'patois_verdicts_from_memory_total',
      'Verdicts without a look-up.',
      () => lookup.counts.remembered,
    );
    this.counter('patois_lookups_total', 'Look-ups of tokens in the database.', () => lookup.counts.lookedUp);
    this.counter('patois_lookups_failed_total', 'Look-ups that got no answer.', () => lookup.counts.failed);
    this.counter('patois_lookup_seconds_total', 'Time in look-ups.', () => lookup.counts.lookupSeconds);
    this.gauge('patois_changes_seconds_behind', 'Up to how long ago changes elsewhere are known.', () => {
      return Math.min(listener.secondsBehind, MAX_SECONDS_BEHIND);
    });
    this.gauge(
      'patois_changes_listening',
      'Whether the listening connection is there (1) or not (0).',
      () => {
        return listener.isConnected ? 1 : 0;
      },
    );
    this.gauge(
      'patois_usage_pending',
      'Tokens whose last use is not written yet.',
      () => usage.backlog.tokens,
    );
    this.gauge('patois_usage_lag_seconds', 'For how long the oldest of those has not been.', () => {
      return usage.backlog.oldestSeconds;
    });
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  private counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  count(request: FastifyRequest, reply: FastifyReply): void {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      dialect: request.patois.owner.name,
      status: String(reply.statusCode),
    };
    this.requests.inc(labels);
    this.durations.observe(labels, reply.elapsedTime / 1000);
  }
}
