import { Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { VerificationModule } from '../verification/verification.module.js';
import { Metrics } from './metrics.js';
import { OperationsController } from './operations.controller.js';
import { Readiness } from './readiness.js';

@Module({
  imports: [VerificationModule],
  controllers: [OperationsController],
  providers: [Metrics, Readiness],
})
export class OperationsModule {
  constructor(host: HttpAdapterHost, metrics: Metrics) {
    host.httpAdapter.getInstance<FastifyInstance>().addHook('onResponse', (request, reply, done) => {
      metrics.count(request, reply);
      done();
    });
  }
}
