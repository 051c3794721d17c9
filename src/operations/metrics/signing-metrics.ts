import { Injectable } from '@nestjs/common';
import { JwtSigner, PURPOSES } from '../../signing/jwt-signer.js';
import { MetricRegistry } from './metric-registry.js';

/** JWTs that are signed here. */
@Injectable()
export class SigningMetrics {
  constructor(registry: MetricRegistry, signer: JwtSigner) {
    registry.counters(
      'patois_jwts_signed_total',
      'JWTs signed, by what for: registry, exchange or introspection.',
      ['purpose'],
      () => PURPOSES.map((purpose) => ({ labels: { purpose }, value: signer.counts.signed[purpose] })),
    );
    registry.counter(
      'patois_jwts_busy_total',
      'JWTs that were not signed, because too many waited.',
      () => signer.counts.refused,
    );
    registry.gauge('patois_jwts_waiting', 'JWTs that wait to be signed.', () => signer.load.waiting);
  }
}
