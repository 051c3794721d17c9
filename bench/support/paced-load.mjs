// A process of its own: takes one job and sends its requests at a steady rate, whether or not the server keeps up. The
// time of a request counts from when it was due, so a server that stalls is charged for all that had to wait. (Neither
// wrk nor autocannon paces within a second.)
import { connect } from 'node:net';
import { AnswerReader, Failures } from './answers.mjs';
import { Histogram } from './statistics.mjs';

const END_OF_ANSWER = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.from('HTTP/1.1 204');
const MAX_SECONDS = 20;
/** Answers of the first part warm the server up and are not counted. */
const WARM_UP_SHARE = 0.2;

process.once('message', (task) => void run(task));

async function run({ url, rawRequests, connections, seconds, rate }) {
  const { hostname, port } = new URL(url);
  const durations = new Histogram(MAX_SECONDS);
  const idle = [];
  const due = [];
  let sent = 0;
  let answered = 0;
  let maxMs = 0;
  const failures = new Failures();

  const send = (socket, dueAt) => {
    socket.dueAt = dueAt;
    socket.write(rawRequests[sent % rawRequests.length]);
    sent += 1;
  };
  const receive = (socket, bytes) => {
    // All of an answer without a body at once, as nearly always, needs no reading.
    const isWhole =
      !socket.reader &&
      bytes.subarray(0, EMPTY.length).equals(EMPTY) &&
      bytes.subarray(-END_OF_ANSWER.length).equals(END_OF_ANSWER);
    if (!isWhole) {
      socket.reader ??= new AnswerReader();
      const status = socket.reader.read(bytes);
      if (status === undefined) return;
      failures.record(status);
      socket.reader = undefined;
    }
    const now = performance.now();
    if (socket.dueAt > countsFrom) {
      durations.record(now - socket.dueAt);
      maxMs = Math.max(maxMs, now - socket.dueAt);
    }
    if (now > countsFrom) answered += 1;
    if (due.length > 0) send(socket, due.shift());
    else idle.push(socket);
  };

  await Promise.all(
    Array.from({ length: connections }, async () => {
      // Straight into one buffer: the stream that `data` events come from would cost more than the answer.
      const buffer = Buffer.alloc(16_384);
      const callback = (length) => receive(socket, buffer.subarray(0, length)) ?? true;
      const socket = connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        onread: { buffer, callback },
      });
      socket.on('error', () => {});
      socket.once('close', () => failures.record('lost'));
      await new Promise((resolve) => socket.once('connect', resolve));
      idle.push(socket);
    }),
  );

  const startedAt = performance.now();
  const countsFrom = startedAt + seconds * 1000 * WARM_UP_SHARE;
  const endsAt = startedAt + seconds * 1000;
  let scheduled = 0;
  const tick = () => {
    const now = performance.now();
    for (; startedAt + (scheduled * 1000) / rate <= now; scheduled += 1) {
      const dueAt = startedAt + (scheduled * 1000) / rate;
      // In turn: one that is never used the server closes.
      const socket = idle.shift();
      if (socket) send(socket, dueAt);
      else due.push(dueAt);
    }
    if (now < endsAt) return void setTimeout(tick, 1);
    process.send({
      requests: answered,
      seconds: seconds * (1 - WARM_UP_SHARE),
      p50Ms: durations.percentile(0.5),
      p99Ms: durations.percentile(0.99),
      maxMs,
      unsent: due.length,
      failures: failures.count,
      failuresByStatus: failures.byStatus,
    });
    process.removeAllListeners('disconnect');
    for (const socket of idle) socket.destroy();
    process.once('disconnect', () => process.exit(0));
  };
  tick();
}
