// From raw results to tables: on the terminal, in RESULTS.md and in docs/PERFORMANCE.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { AIMS, RATIOS } from './scenarios.mjs';
import { median } from './support/statistics.mjs';

const RESULTS = new URL('RESULTS.md', import.meta.url);
const PAGE = new URL('../docs/PERFORMANCE.md', import.meta.url);

/** Medians over the rounds, and the ratios between them. */
export function summarize({ at, machine, options, contenders, paced }) {
  const rows = contenders.map(({ id, label, answers, runs }) => ({
    id,
    label,
    rate: median(runs.map(({ requests, seconds }) => (requests * answers) / seconds)),
    spread: spreadOf(runs.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
    cpuMicros: median(runs.map(({ cpuSeconds, requests }) => (cpuSeconds * 1e6) / (requests * answers))),
  }));
  const find = (id) => rows.find((row) => row.id === id);
  const ratios = RATIOS.filter(({ of, to }) => find(of) && find(to)).map((aim) => ({
    ...aim,
    ofLabel: find(aim.of).label,
    toLabel: find(aim.to).label,
    ratio: find(aim.of).rate / find(aim.to).rate,
    cpuRatio: find(aim.to).cpuMicros / find(aim.of).cpuMicros,
  }));
  const latencies = paced.map(({ id, label, rate, runs }) => ({
    id,
    label,
    rate,
    p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
  }));
  // Processes behind one port answer /metrics each for itself.
  const coldSteps = contenders
    .filter(({ id }) => /^(verify|introspect)-(1|many|cidr)$|^batch$/.test(id))
    .map(({ label, answers, runs }) => {
      const sum = (pick) => runs.reduce((total, run) => total + pick(run), 0);
      return { label, share: sum(({ lookups }) => lookups) / sum(({ requests }) => requests * answers) };
    })
    .filter(({ share }) => !(share < 0.001));
  const failures = [...contenders, ...paced]
    .flatMap(({ runs }) => runs)
    .reduce((sum, run) => sum + run.failures, 0);
  return { at, machine, options, rows, ratios, latencies, coldSteps, failures };
}

/** The tables of one run, in Markdown. */
export function renderBench({ at, machine, options, rows, ratios, latencies, coldSteps, failures }) {
  const { rounds, seconds, connections, tokens, loader } = options;
  const parts = [
    `${at.slice(0, 10)}: ${machine}; loaded by ${loader} over ${connections} connections, ${rounds} interleaved ` +
      `rounds of ${seconds} s, ${tokens.toLocaleString('en')} tokens in the store; ${failures} failed requests.`,
    table(
      ['who answers', 'a second', '± %', 'p50 ms', 'p99 ms', 'CPU µs each'],
      rows.map(({ label, rate, spread, p50Ms, p99Ms, cpuMicros }) => [
        label,
        Math.round(rate).toLocaleString('en'),
        spread.toFixed(0),
        p50Ms.toFixed(2),
        p99Ms.toFixed(2),
        cpuMicros.toFixed(1),
      ]),
    ),
    ratios.length > 0 &&
      table(
        ['ratio of medians', 'to', 'ratio', 'by CPU', 'aim', ''],
        ratios.map(({ ofLabel, toLabel, ratio, cpuRatio, atLeast }) => [
          ofLabel,
          toLabel,
          ratio.toFixed(2),
          cpuRatio.toFixed(2),
          atLeast === undefined ? '' : `≥ ${atLeast}`,
          verdict(ratio, atLeast),
        ]),
      ),
    latencies.length > 0 &&
      table(
        ['at half of the peak rate', 'a second', 'p50 ms', 'p99 ms', 'aim', ''],
        latencies.map(({ label, rate, p50Ms, p99Ms }) => {
          const isAimedAt = label.startsWith('Patois');
          return [
            label,
            rate.toLocaleString('en'),
            p50Ms.toFixed(2),
            p99Ms.toFixed(2),
            isAimedAt ? `< ${AIMS.p99Ms}` : '',
            isAimedAt ? verdict(AIMS.p99Ms, p99Ms) : '',
          ];
        }),
      ),
    batchAim(rows),
    ...coldSteps.map(
      ({ label, share }) =>
        `Not warm: ${label} asked the database for ${(share * 100).toFixed(1)} % of its answers.`,
    ),
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** The tables of a growth run, in Markdown. */
export function renderGrowth({ at, machine, sizes, measures }) {
  const headers = ['ms each', ...sizes.map((size) => size.toLocaleString('en')), 'last/first', 'aim', ''];
  const rows = measures.map(({ label, medians, atMost }) => {
    const ratio = medians.at(-1) / medians[0];
    const cells = medians.map((milliseconds) => milliseconds.toFixed(3));
    const aim = atMost === undefined ? ['', ''] : [`≤ ${atMost}`, verdict(atMost, ratio)];
    return [label, ...cells, ratio.toFixed(2), ...aim];
  });
  return `${at.slice(0, 10)}: ${machine}.\n\n${table(headers, rows)}`;
}

export function recordBench(summary) {
  record('bench', renderBench(summary));
}

export function recordGrowth(summary) {
  record('growth', renderGrowth(summary));
}

/** Puts tables between the marks that name them, in both files. */
function record(name, tables) {
  for (const file of [RESULTS, PAGE]) {
    const text = readFileSync(file, 'utf8');
    const between = new RegExp(`(<!-- ${name}: .*-->)[^]*?(<!-- /${name} -->)`);
    writeFileSync(
      file,
      text.replace(between, (_, begin, end) => `${begin}\n\n${tables}\n\n${end}`),
    );
  }
}

function batchAim(rows) {
  const batch = rows.find(({ id }) => id === 'batch');
  if (!batch) return undefined;
  const { batchTokensASecond: aim } = AIMS;
  return `Batch: ${Math.round(batch.rate).toLocaleString('en')} tokens a second, aimed at ${aim.toLocaleString('en')}: ${verdict(batch.rate, aim)}.`;
}

/** Half of the distance between the slowest and the fastest round, in percent of the median. */
function spreadOf(rates) {
  return ((Math.max(...rates) - Math.min(...rates)) / 2 / median(rates)) * 100;
}

function verdict(reached, atLeast) {
  if (atLeast === undefined) return '';
  return reached >= atLeast ? 'reached' : 'missed';
}

/** A table as Prettier would write it. */
function table(headers, rows) {
  const widths = headers.map((header, column) =>
    Math.max(3, header.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(headers), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
