import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { MetricRegistry } from '../../src/operations/metrics/metric-registry.js';
import { describeWith, temporaryFolder } from '../support/programs.js';
import { TestServer } from '../support/server.js';

const RULES = 'docs/prometheus/patois.rules.yml';
/** What Prometheus itself adds to every series, and the metric that it makes of a scrape. */
const OF_PROMETHEUS = { labels: ['job', 'instance'], metric: 'up' };

interface Panel {
  title: string;
  type: string;
  targets?: { expr: string; legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync('docs/grafana/patois.json', 'utf8')) as {
  panels: Panel[];
  templating: { list: { name: string; query: string }[] };
};
const rules = (
  parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert: string; expr: string }[] }[] }
).groups.flatMap((group) => group.rules);

const expressions: [where: string, expr: string][] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [title, expr]),
  ),
  ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
];

/** Metrics of an expression with the labels that are asked of them: in their own braces, or grouped by around them. */
function usesOf(expr: string): { metrics: Set<string>; labels: Set<string> } {
  const metrics = new Set<string>();
  const labels = new Set<string>();
  for (const [, name = '', matchers = ''] of expr.matchAll(
    /\b((?:patois|nodejs|process)_\w+|up)\b(?:\{([^}]*)\})?/g,
  )) {
    metrics.add(name);
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) labels.add(label);
  }
  for (const [, grouped = ''] of expr.matchAll(/\bby \(([^)]*)\)/g))
    for (const label of grouped.split(',')) labels.add(label.trim());
  return { metrics, labels };
}

let server: TestServer;
/** Names, as /metrics has them, and the labels that their series have. */
const labelsOf = new Map<string, string[]>();
beforeAll(async () => {
  server = await TestServer.start();
  const { text } = await server.send('GET', '/metrics');
  const registry = server.app.nest.get(MetricRegistry, { strict: false });
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const { labelNames = [] } = (registry.getSingleMetric(name) ?? {}) as { labelNames?: string[] };
    if (type !== 'histogram') labelsOf.set(name, labelNames);
    else
      for (const part of ['_bucket', '_sum', '_count']) {
        labelsOf.set(name + part, part === '_bucket' ? [...labelNames, 'le'] : labelNames);
      }
  }
});
afterAll(() => server.close());

describe('the dashboard and the alerts', () => {
  test.each(expressions)('%s asks for metrics and labels that a server has: %s', (_where, expr) => {
    const { metrics, labels } = usesOf(expr);
    expect(metrics.size).toBeGreaterThan(0);
    metrics.delete(OF_PROMETHEUS.metric);
    expect([...metrics].filter((name) => !labelsOf.has(name))).toEqual([]);
    const known = new Set([
      ...OF_PROMETHEUS.labels,
      ...[...metrics].flatMap((name) => labelsOf.get(name) ?? []),
    ]);
    expect([...labels].filter((label) => !known.has(label))).toEqual([]);
  });

  test('a legend and a choice name labels and metrics that are there', () => {
    for (const { title, targets = [] } of dashboard.panels)
      for (const { expr, legendFormat } of targets) {
        const { metrics } = usesOf(expr);
        const known = [...OF_PROMETHEUS.labels, ...[...metrics].flatMap((name) => labelsOf.get(name) ?? [])];
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect([title, known.includes(label) ? label : `no ${label}`]).toEqual([title, label]);
      }
    const choices = dashboard.templating.list.filter(({ query }) => query.startsWith('label_values'));
    expect(choices.map(({ name }) => name)).toEqual(['job', 'instance']);
    for (const { query } of choices) {
      const [name = ''] = usesOf(query).metrics;
      expect(labelsOf.has(name)).toBe(true);
    }
  });

  test('say what an operator must know', () => {
    const all = expressions.map(([, expr]) => expr).join('\n');
    for (const metric of [
      'patois_verdicts_total',
      'patois_http_request_duration_seconds_bucket',
      'patois_changes_seconds_behind',
      'patois_lookups_failed_total',
      'patois_jobs_ended_total',
      'patois_audit_unsealed_age_seconds',
      'patois_changes_waiting',
      'patois_changes_busy_total',
      'patois_notices_oldest_waiting_seconds',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      expect(all).toContain(metric);
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  test('are found out where they name what is not there', () => {
    const { metrics, labels } = usesOf('sum by (colour) (rate(patois_verdict_total{shape=~"a"}[5m])) > 1');
    expect([[...metrics], [...labels]]).toEqual([['patois_verdict_total'], ['shape', 'colour']]);
    expect(labelsOf.has('patois_verdict_total')).toBe(false);
  });
});

describeWith(['/usr/bin/promtool'], 'the alerts, read by Prometheus itself', () => {
  test('have no mistake', () => {
    const { status, stdout, stderr } = spawnSync('/usr/bin/promtool', ['check', 'rules', RULES], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${rules.length} rules found`);
  });

  test('the expressions of the dashboard have none either', () => {
    const folder = temporaryFolder('dashboard');
    const file = join(folder.path, 'panels.json');
    const panels = expressions.slice(0, expressions.length - rules.length).map(([, expr], index) => ({
      record: `panel:${index}`,
      // What Grafana fills in.
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'),
    }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules: panels }] }));
    const { status, stdout, stderr } = spawnSync('/usr/bin/promtool', ['check', 'rules', file], {
      encoding: 'utf8',
    });
    folder.remove();
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${panels.length} rules found`);
  });
});
