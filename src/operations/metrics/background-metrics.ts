import { Injectable } from '@nestjs/common';
import { Pruner } from '../../audit/chain/pruner.js';
import { SealLag } from '../../audit/chain/seal-lag.js';
import { Sealer } from '../../audit/chain/sealer.js';
import { JobRunner } from '../../jobs/job-runner.js';
import { NoticeSender } from '../../notices/notice-sender.js';
import { MetricRegistry } from './metric-registry.js';

/** What is done beside requests: jobs, notices, seals. */
@Injectable()
export class BackgroundMetrics {
  constructor(
    registry: MetricRegistry,
    jobs: JobRunner,
    notices: NoticeSender,
    sealer: Sealer,
    sealLag: SealLag,
    pruner: Pruner,
  ) {
    registry.gauges(
      'patois_jobs',
      'Jobs that are not over, of all replicas, by kind and status, as of the last few seconds.',
      ['kind', 'status'],
      () => jobs.open.map(({ kind, status, count }) => ({ labels: { kind, status }, value: count })),
    );
    registry.counters(
      'patois_jobs_ended_total',
      'Jobs that this process has ended, by kind and by how: done, failed or cancelled.',
      ['kind', 'status'],
      () => jobs.ended.map(({ kind, status, count }) => ({ labels: { kind, status }, value: count })),
    );
    registry.counters(
      'patois_notices_total',
      'Notices that this process has sent, by kind of channel and outcome: delivered, retried or failed (given up).',
      ['kind', 'outcome'],
      () => notices.sums.map(({ kind, how, count }) => ({ labels: { kind, outcome: how }, value: count })),
    );
    registry.gauge(
      'patois_notices_oldest_waiting_seconds',
      'For how long the oldest notice waits, of all replicas, as of the last few seconds; 0 where none does.',
      () => notices.oldestSeconds,
    );
    registry.counter(
      'patois_audit_seals_total',
      'Seals over the audit trail that this process has made.',
      () => sealer.counts.seals,
    );
    registry.counter(
      'patois_audit_sealed_events_total',
      'Audit events that this process has sealed.',
      () => sealer.counts.events,
    );
    registry.counter(
      'patois_audit_seals_lost_total',
      'How often this process found the newest seal gone or another.',
      () => sealer.counts.lost,
    );
    registry.gauge(
      'patois_audit_unsealed_age_seconds',
      'Age of the oldest audit event that has no seal, of all replicas, as of the last scrape.',
      () => sealLag.seconds,
    );
    registry.counter(
      'patois_audit_pruned_events_total',
      'Audit events older than AUDIT_RETENTION that this process has deleted.',
      () => pruner.pruned,
    );
  }
}
