import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Histogram } from 'prom-client';
import { MetricRegistry } from './metric-registry.js';

/** From what a decision from memory takes to what a client gives up on. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LABELS = ['method', 'route', 'dialect', 'status'] as const;
type Label = (typeof LABELS)[number];

/**
 * How many requests were answered, and how long that took. Labels are patterns of routes and names of dialects, never what
 * a client chose: no path, token, token id or login.
 */
@Injectable()
export class RequestMetrics {
  private readonly requests: Counter<Label>;
  private readonly durations: Histogram<Label>;

  constructor(registry: MetricRegistry) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'patois_http_requests_total',
      help: 'Requests answered, by method, pattern of the route, owner of the path and status.',
      labelNames: LABELS,
      registers,
    });
    this.durations = new Histogram({
      name: 'patois_http_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer.',
      labelNames: LABELS,
      buckets: SECONDS,
      registers,
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
