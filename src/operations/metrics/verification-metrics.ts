import { Injectable } from '@nestjs/common';
import { ChangeListener } from '../../database/changes/change-listener.js';
import { CachedLookup } from '../../decisions/cached-lookup.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { RotatedTokens } from '../../decisions/rotated-tokens.js';
import { UsageRecorder } from '../../decisions/usage-recorder.js';
import { MetricRegistry } from './metric-registry.js';

/** Shown before the first heartbeat has come back. */
const MAX_SECONDS_BEHIND = 86_400;

/** Verdicts, what they are looked up by, and what is known of changes and noted of uses. */
@Injectable()
export class VerificationMetrics {
  constructor(
    registry: MetricRegistry,
    { counter }: DecisionService,
    lookup: CachedLookup,
    rotated: RotatedTokens,
    listener: ChangeListener,
    usage: UsageRecorder,
  ) {
    registry.counters(
      'patois_verdicts_total',
      'Verdicts on tokens, by outcome and by the dialect of the token.',
      ['outcome', 'dialect'],
      () =>
        counter.sums().map(({ outcome, dialect, count }) => ({ labels: { outcome, dialect }, value: count })),
    );
    registry.gauge(
      'patois_remembered_verdicts',
      'Tokens and unknown values in memory.',
      () => lookup.remembered,
    );
    registry.counter(
      'patois_verdicts_from_memory_total',
      'Verdicts without a look-up.',
      () => lookup.counts.remembered,
    );
    registry.counter(
      'patois_lookups_total',
      'Look-ups of tokens in the database.',
      () => lookup.counts.lookedUp,
    );
    registry.counter(
      'patois_lookups_failed_total',
      'Look-ups that got no answer.',
      () => lookup.counts.failed,
    );
    registry.counter('patois_lookup_seconds_total', 'Time in look-ups.', () => lookup.counts.lookupSeconds);
    registry.counter('patois_reuses_total', 'Retired values that turned up.', () => rotated.reuses);
    registry.gauge('patois_changes_seconds_behind', 'Up to how long ago changes elsewhere are known.', () =>
      Math.min(listener.secondsBehind, MAX_SECONDS_BEHIND),
    );
    registry.gauge(
      'patois_changes_listening',
      'Whether the listening connection is there (1) or not (0).',
      () => (listener.isConnected ? 1 : 0),
    );
    registry.gauge(
      'patois_usage_pending',
      'Tokens whose last use is not written yet.',
      () => usage.backlog.tokens,
    );
    registry.gauge(
      'patois_usage_lag_seconds',
      'For how long the oldest of those has not been.',
      () => usage.backlog.oldestSeconds,
    );
  }
}
