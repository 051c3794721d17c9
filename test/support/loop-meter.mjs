import { performance } from 'node:perf_hooks';

/**
 * Preloaded into a server that is measured: says for how long its event loop was held, and how long a fixed piece of work
 * takes it. Each span is the lesser of the time that passed and of the processor time that this process took: what other
 * processes of a busy machine take does not count.
 */
const TICK_MS = 1;

let last = now();
let longest = 0;

function now() {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), cpu: (user + system) / 1000 };
}

function since(start) {
  const end = now();
  return Math.min(end.wall - start.wall, end.cpu - start.cpu);
}

function tick() {
  longest = Math.max(longest, since(last));
  last = now();
}

/** Strings, numbers, a sort, JSON: about what a request costs, thousands of times. */
function work() {
  let seed = 1;
  const rows = Array.from({ length: 20_000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return { id: seed, name: `name ${seed}` };
  });
  const text = JSON.stringify(rows.sort((one, other) => (one.name < other.name ? -1 : 1)));
  return new Set(JSON.parse(text).map(({ name }) => name)).size;
}

function timeOfWork() {
  const times = Array.from({ length: 3 }, () => {
    const start = now();
    work();
    return since(start);
  });
  return Math.min(...times);
}

const ANSWERS = {
  reset: () => {
    last = now();
    longest = 0;
    return 0;
  },
  held: () => {
    tick();
    return longest;
  },
  work: timeOfWork,
};

setInterval(tick, TICK_MS).unref();
process.on('message', (question) => process.send(ANSWERS[question]()));
