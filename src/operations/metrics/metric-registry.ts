import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** Some labels, and the number that goes with them. */
export interface Labelled<Label extends string> {
  labels: Record<Label, string>;
  value: number;
}

/**
 * The metrics of one application: prom-client's own registry is that of a process, and two in one would count together.
 * All but those of requests are read where they are kept when Prometheus asks; nothing else costs more for them.
 */
@Injectable()
export class MetricRegistry extends Registry {
  constructor() {
    super();
    collectDefaultMetrics({ register: this });
  }

  counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this],
      collect() {
        this.set(read());
      },
    });
  }

  counters<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: () => Iterable<Labelled<Label>>,
  ): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.inc(labels, value);
      },
    });
  }

  gauges<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: () => Iterable<Labelled<Label>>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    });
  }
}
