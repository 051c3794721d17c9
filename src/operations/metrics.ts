import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { VerdictCache } from '../access/verdict-cache.js';
import { VerdictMeter } from '../verification/verdict-meter.js';

/** From what a cached verdict takes to what a client gives up on. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

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

  constructor(meter: VerdictMeter, cache: VerdictCache) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    new Counter({
      name: 'patois_verdicts_total',
      help: 'Verdicts on tokens, by outcome and by the dialect of the token.',
      labelNames: ['outcome', 'dialect'],
      registers,
      collect() {
        this.reset();
        for (const [key, count] of meter.counts) {
          const [outcome = '', dialect = ''] = key.split(' ');
          this.inc({ outcome, dialect }, count);
        }
      },
    });
    new Gauge({
      name: 'patois_remembered_verdicts',
      help: 'Verdicts in memory.',
      registers,
      collect() {
        this.set(cache.size);
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
