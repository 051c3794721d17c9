import { Inject, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AuditModule } from '../audit/audit.module.js';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { NoticesModule } from '../notices/notices.module.js';
import { SigningModule } from '../signing/signing.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { TRACING, type Tracing } from '../tracing.js';
import { HealthController } from './health/health.controller.js';
import { Readiness } from './health/readiness.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { BackgroundMetrics } from './metrics/background-metrics.js';
import { ChangeMetrics } from './metrics/change-metrics.js';
import { MetricRegistry } from './metrics/metric-registry.js';
import { RequestMetrics } from './metrics/request-metrics.js';
import { SigningMetrics } from './metrics/signing-metrics.js';
import { VerificationMetrics } from './metrics/verification-metrics.js';
import { traceRequests } from './tracing/request-spans.js';

/** What who runs the server asks of it. */
@Module({
  imports: [AuditModule, DecisionsModule, JobsModule, NoticesModule, SigningModule, TokensModule],
  controllers: [HealthController, MetricsController],
  providers: [
    BackgroundMetrics,
    ChangeMetrics,
    MetricRegistry,
    RequestMetrics,
    SigningMetrics,
    VerificationMetrics,
    Readiness,
  ],
})
export class OperationsModule {
  constructor({ httpAdapter }: HttpAdapterHost, requests: RequestMetrics, @Inject(TRACING) tracing: Tracing) {
    const server = httpAdapter.getInstance<FastifyInstance>();
    traceRequests(server, tracing);
    server.addHook('onResponse', (request, reply, done) => {
      requests.count(request, reply);
      done();
    });
  }
}
