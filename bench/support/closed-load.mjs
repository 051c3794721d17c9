// A process of its own: takes one job and sends its requests as fast as they are answered. All connections take the next
// request of one list, so that none is sent twice where each may be sent only once (wrk gives no such promise).
import { connect } from 'node:net';
import { AnswerReader, Failures } from './answers.mjs';
import { Histogram } from './statistics.mjs';

const MAX_SECONDS = 20;
const ANSWER_TIMEOUT_MS = 15_000;
const RETRY_MS = 20;

process.once('message', (task) => void run(task));

async function run({ url, rawRequests, connections, seconds, isOnce }) {
  const { hostname, port } = new URL(url);
  const durations = new Histogram(MAX_SECONDS);
  const failures = new Failures();
  let next = 0;
  let sent = 0;
  let answered = 0;
  let answeredInTime = 0;
  let lastAnswerAt = 0;
  let maxMs = 0;

  const take = () => {
    if (performance.now() >= endsAt) return undefined;
    if (next === rawRequests.length && isOnce) return undefined;
    if (next === rawRequests.length) next = 0;
    next += 1;
    return rawRequests[next - 1];
  };

  /** Sends and receives over one connection until it is lost or there is nothing left to send. */
  const converse = () =>
    new Promise((resolve) => {
      const reader = new AnswerReader();
      let sentAt;
      let isOpen = false;
      const send = () => {
        const request = take();
        sentAt = request && performance.now();
        if (!request) return void socket.destroy();
        sent += 1;
        socket.write(request);
      };
      const receive = (bytes) => {
        const status = reader.read(bytes);
        if (status === undefined) return;
        const now = performance.now();
        durations.record(now - sentAt);
        maxMs = Math.max(maxMs, now - sentAt);
        failures.record(status);
        answered += 1;
        lastAnswerAt = now;
        if (now <= endsAt) answeredInTime += 1;
        send();
      };
      const buffer = Buffer.alloc(65_536);
      const callback = (length) => receive(buffer.subarray(0, length)) ?? true;
      const socket = connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        onread: { buffer, callback },
      });
      socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
      socket.once('connect', () => {
        isOpen = true;
        send();
      });
      socket.on('error', () => {});
      socket.once('close', () => {
        if (sentAt !== undefined || !isOpen) failures.record('lost');
        resolve();
      });
    });

  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const isDone = () => performance.now() >= endsAt || (isOnce && next === rawRequests.length);
      for (;;) {
        await converse();
        if (isDone()) return;
        await new Promise((resume) => setTimeout(resume, RETRY_MS));
      }
    }),
  );
  // What was under way at the end is waited for, that it falls on nobody else, but is no part of the rate.
  const hasRunOut = answered > 0 && lastAnswerAt < endsAt;
  process.send({
    requests: hasRunOut ? answered : answeredInTime,
    sent,
    seconds: hasRunOut ? (lastAnswerAt - startedAt) / 1000 : seconds,
    p50Ms: durations.percentile(0.5),
    p99Ms: durations.percentile(0.99),
    maxMs,
    failures: failures.count,
    failuresByStatus: failures.byStatus,
  });
  process.once('disconnect', () => process.exit(0));
}
