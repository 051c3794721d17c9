// From raw results to tables: on the terminal, in RESULTS.md and in docs/PERFORMANCE.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { AIMS, RATIOS } from './scenarios.mjs';
import { median } from './support/statistics.mjs';
import { RATIOS as WRITE_RATIOS } from './write-scenarios.mjs';

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

/** Medians over the rounds of changes, and the ratios between them. Processor time is in ms, of each change. */
export function summarizeWrites({ at, machine, options, contenders }) {
  const rows = contenders.map(({ id, label, answers, runs }) => {
    const cpuMs = (pick) => median(runs.map((run) => (pick(run) * 1000) / Math.max(1, run.sent * answers)));
    return {
      id,
      label,
      rate: median(runs.map(({ requests, seconds }) => (requests * answers) / seconds)),
      spread: spreadOf(runs.map(({ requests, seconds }) => requests / seconds)),
      p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
      failures: runs.reduce((sum, run) => sum + run.failures, 0),
      failuresByStatus: sumOf(runs.map(({ failuresByStatus }) => failuresByStatus)),
      serverMs: cpuMs(({ cpuSeconds }) => cpuSeconds),
      postgresMs: cpuMs(({ postgresCpuSeconds }) => postgresCpuSeconds),
    };
  });
  const find = (id) => rows.find((row) => row.id === id);
  const ratios = WRITE_RATIOS.filter(({ of, to }) => find(of) && find(to)).map((aim) => {
    const [one, other] = [find(aim.of), find(aim.to)];
    return {
      ...aim,
      ofLabel: one.label,
      toLabel: other.label,
      ratio: one.rate / other.rate,
      cpuRatio: other.serverMs / one.serverMs,
      bothRatio: (other.serverMs + other.postgresMs) / (one.serverMs + one.postgresMs),
    };
  });
  const failures = rows.reduce((sum, row) => sum + row.failures, 0);
  return { at, machine, options, rows, ratios, failures };
}

/** The tables of one run of changes, in Markdown. */
export function renderWrites({ at, machine, options, rows, ratios, failures }) {
  const { rounds, seconds, connections, tokens } = options;
  const headers = [
    'who answers',
    'a second',
    '± %',
    'p50 ms',
    'p99 ms',
    'failed',
    'server ms',
    'PostgreSQL ms',
  ];
  const parts = [
    `${at.slice(0, 10)}: ${machine}; ${connections} connections, ${rounds} interleaved rounds of ${seconds} s, ` +
      `${tokens.toLocaleString('en')} tokens in each store at first; ${failures} failed requests.`,
    table(
      headers,
      rows.map((row) => [
        row.label,
        Math.round(row.rate).toLocaleString('en'),
        row.spread.toFixed(0),
        row.p50Ms.toFixed(2),
        row.p99Ms.toFixed(2),
        String(row.failures),
        row.serverMs.toFixed(3),
        row.postgresMs.toFixed(3),
      ]),
    ),
    ratios.length > 0 &&
      table(
        ['ratio of medians', 'to', 'ratio', 'by CPU', 'and PostgreSQL', 'aim', ''],
        ratios.map(({ ofLabel, toLabel, ratio, cpuRatio, bothRatio, atLeast }) => [
          ofLabel,
          toLabel,
          ratio.toFixed(2),
          cpuRatio.toFixed(2),
          bothRatio.toFixed(2),
          atLeast === undefined ? '' : `≥ ${atLeast}`,
          verdict(ratio, atLeast),
        ]),
      ),
    ...rows
      .filter(({ failures: count }) => count > 0)
      .map(({ label, failuresByStatus }) => `Failed: ${label}: ${namesOf(failuresByStatus)}.`),
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** Medians over the rounds of `/verify` alone and beside writers, and what disturbs it most. */
export function summarizePeace({ at, machine, options, peakRate, rate, alone, beside, writers }) {
  const rows = [
    { label: '`/verify`, alone', runs: alone },
    { label: `\`/verify\`, beside ${options.writers} writers`, runs: beside },
    { label: `${options.writers} writers, POST \`/patois/v1/tokens\``, runs: writers },
  ].map(({ label, runs }) => ({
    label,
    rate: median(runs.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
    maxMs: Math.max(...runs.map(({ maxMs }) => maxMs)),
    unsent: runs.reduce((sum, run) => sum + (run.unsent ?? 0), 0),
    failures: runs.reduce((sum, run) => sum + run.failures, 0),
    failuresByStatus: sumOf(runs.map(({ failuresByStatus }) => failuresByStatus)),
  }));
  const failures = rows.reduce((sum, row) => sum + row.failures, 0);
  return { at, machine, options, peakRate, rate, rows, failures };
}

/** The table of one run of `/verify` beside writers, in Markdown. */
export function renderPeace({ at, machine, options, peakRate, rate, rows }) {
  const { rounds, seconds, connections, workers, tokens } = options;
  const [alone, beside] = rows;
  const ofPeak =
    peakRate === undefined ? '' : `, half of the peak of ${Math.round(peakRate).toLocaleString('en')}`;
  const cells = ({ p50Ms, p99Ms, maxMs }) =>
    [p50Ms, p99Ms, maxMs].map((milliseconds) => milliseconds.toFixed(2));
  const ratios = ['p50Ms', 'p99Ms', 'maxMs'].map((key) => (beside[key] / alone[key]).toFixed(2));
  const parts = [
    `${at.slice(0, 10)}: ${machine}; \`WORKERS=${workers}\`, ${rate.toLocaleString('en')} verifications a second${ofPeak}, ` +
      `over ${connections} connections, ${rounds} rounds of ${seconds} s, ${tokens.toLocaleString('en')} tokens in the store at first.`,
    table(
      ['who asks', 'a second', 'p50 ms', 'p99 ms', 'max ms', 'failed'],
      [
        ...rows.map((row) => [
          row.label,
          Math.round(row.rate).toLocaleString('en'),
          ...cells(row),
          row.failures === 0 ? '0' : namesOf(row.failuresByStatus),
        ]),
        ['beside / alone', (beside.rate / alone.rate).toFixed(2), ...ratios, ''],
      ],
    ),
    ...rows
      .filter(({ unsent }) => unsent > 0)
      .map(
        ({ label, unsent }) =>
          `Not kept up: ${label}: ${unsent.toLocaleString('en')} requests were due and not sent at the end, and their times are not among these.`,
      ),
  ];
  return parts.join('\n\n');
}

export function recordWrites(summary) {
  record('writes', renderWrites(summary), 'Changes');
}

/** Medians over the rounds. */
export function summarizeExport({ at, machine, options, exports, alone, beside, owners }) {
  const rows = [
    { label: '`/verify`, alone', runs: alone },
    { label: '`/verify`, beside an export', runs: beside },
  ].map(({ label, runs }) => ({
    label,
    rate: median(runs.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
    maxMs: Math.max(...runs.map(({ maxMs }) => maxMs)),
    failures: runs.reduce((sum, run) => sum + run.failures, 0),
  }));
  const failures = rows.reduce((sum, row) => sum + row.failures, 0);
  return { at, machine, options, exports, rows, ownersMs: median(owners), failures };
}

/** The tables of exports, in Markdown. */
export function renderExport({ at, machine, options, exports, rows, ownersMs }) {
  const { tokens, users, rounds, seconds, connections, rate } = options;
  const [alone, beside] = rows;
  const whole = (figure) => Math.round(figure).toLocaleString('en');
  const ratios = ['p50Ms', 'p99Ms', 'maxMs'].map((key) => (beside[key] / alone[key]).toFixed(2));
  return [
    `${at.slice(0, 10)}: ${machine}; one process, ${tokens.toLocaleString('en')} tokens of ${users.toLocaleString('en')} owners.`,
    table(
      ['export', 'rows', 'MB', 'seconds', 'rows a second', 'grown by at most, MiB'],
      exports.map(({ format, rows: count, bytes, seconds: took, grownBytes }) => [
        format,
        whole(count),
        whole(bytes / 1e6),
        took.toFixed(1),
        whole(count / took),
        (grownBytes / 2 ** 20).toFixed(0),
      ]),
    ),
    `${rate.toLocaleString('en')} verifications a second, over ${connections} connections, ${rounds} rounds of ${seconds} s:`,
    table(
      ['who asks', 'a second', 'p50 ms', 'p99 ms', 'max ms', 'failed'],
      [
        ...rows.map(({ label, rate: asked, p50Ms, p99Ms, maxMs, failures }) => [
          label,
          whole(asked),
          ...[p50Ms, p99Ms, maxMs].map((milliseconds) => milliseconds.toFixed(2)),
          String(failures),
        ]),
        ['beside / alone', (beside.rate / alone.rate).toFixed(2), ...ratios, ''],
      ],
    ),
    `A page of 50 owners with what they own: ${ownersMs.toFixed(1)} ms.`,
  ].join('\n\n');
}

export function recordExport(summary) {
  record('export', renderExport(summary), 'Exports');
}

export function recordPeace(summary) {
  record('peace', renderPeace(summary), 'Verification beside changes');
}

/** What a run of revocations.mjs found, in Markdown. */
export function renderRevocations({ at, machine, options, alone, beside, ...found }) {
  const { tokens, owned, rate, connections, seconds } = options;
  const { previewMs, begunMs, revocation, deletionMs, working, marking } = found;
  const ms = (number) => `${Math.round(number).toLocaleString('en')} ms`;
  const count = (number) => number.toLocaleString('en');
  return [
    `${at.slice(0, 10)}: ${machine}; \`WORKERS=1\`, ${count(rate)} verifications a second over ${connections} connections, ` +
      `${seconds} s alone and ${seconds} s from the beginning of the job on.`,
    table(
      ['what', 'measured'],
      [
        [`dry run of ${count(tokens)} tokens`, ms(previewMs)],
        ['until the job is answered, all its tokens settled', ms(begunMs)],
        [
          `until all are revoked, ${count(revocation.result.revoked)} of them`,
          `${revocation.seconds.toFixed(1)} s`,
        ],
        ['longest transaction of the job, and so lock', ms(revocation.longestMs)],
        ['`/verify` alone, p50 and p99', `${alone.p50Ms} ms, ${alone.p99Ms} ms`],
        ['`/verify` beside the job, p50 and p99', `${beside.p50Ms} ms, ${beside.p99Ms} ms`],
        ['failed verifications, alone and beside', `${alone.failures}, ${beside.failures}`],
        [`until the deletion of an owner of ${count(owned)} tokens is answered`, ms(deletionMs)],
        ['of 100 of those tokens, still working then', String(working)],
        ['until all of them are marked as revoked', `${marking.seconds.toFixed(1)} s`],
      ],
    ),
  ].join('\n\n');
}

export function recordRevocations(results) {
  record('revocations', renderRevocations(results), 'Many revocations');
}

export function recordBench(summary) {
  record('bench', renderBench(summary), 'Side by side');
}

export function recordGrowth(summary) {
  record('growth', renderGrowth(summary), 'As the store grows');
}

/** Puts tables between the marks that name them, in both files; where there are none yet, at the end under a heading. */
function record(name, tables, heading) {
  for (const file of [RESULTS, PAGE]) {
    const between = new RegExp(`(<!-- ${name}: .*-->)[^]*?(<!-- /${name} -->)`);
    const marks = `<!-- ${name}: written by bench/${name}.mjs --record -->\n\n<!-- /${name} -->`;
    let text = readFileSync(file, 'utf8');
    if (!between.test(text)) text += `\n## ${heading}\n\n${marks}\n`;
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

function sumOf(counts) {
  const sums = {};
  for (const [name, count] of counts.flatMap((each) => Object.entries(each)))
    sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

function namesOf(failuresByStatus) {
  return Object.entries(failuresByStatus)
    .map(([status, count]) => `${count.toLocaleString('en')} × ${status}`)
    .join(', ');
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

/** Milliseconds of each kind of request, beside a plain select of the rows that it shows, by their ids. */
export function renderInventory({ at, machine, options, measures }) {
  const { tokens, owners, organizations, events, rounds } = options;
  const callers = { administrator: 'administrator', head: "organization's", owner: 'owner' };
  const percentile = (times, share) =>
    times.toSorted((one, other) => one - other)[Math.min(times.length - 1, Math.floor(times.length * share))];
  const rows = measures.map(({ label, caller, rows: shown, aim, times, plain }) => {
    const [p50, p95] = [percentile(times, 0.5), percentile(times, 0.95)];
    const beside = plain.length > 0 ? percentile(plain, 0.5) : undefined;
    return [
      label,
      callers[caller],
      shown.toLocaleString('en'),
      p50.toFixed(1),
      p95.toFixed(1),
      beside === undefined ? '' : beside.toFixed(1),
      beside === undefined ? '' : (p50 / beside).toFixed(1),
      aim === undefined ? '' : `≤ ${aim}`,
      aim === undefined ? '' : verdict(aim, p95),
    ];
  });
  const count = (number) => number.toLocaleString('en');
  return (
    `${at.slice(0, 10)}: ${machine}; ${count(tokens)} tokens of ${count(owners)} owners in ${count(organizations)} organizations, ` +
    `${count(events)} audit events; ${rounds} requests of each kind in turn, one at a time.\n\n` +
    table(['what is asked', 'as', 'rows', 'p50 ms', 'p95 ms', 'plain select', 'ratio', 'aim, p95', ''], rows)
  );
}

export function recordInventory(results) {
  record('inventory', renderInventory(results), 'Lists and counts of many tokens');
}
