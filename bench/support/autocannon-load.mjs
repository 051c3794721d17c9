// A process of its own: takes one job, loads the server with autocannon, sends the result.
import autocannon from 'autocannon';
import { Histogram } from './statistics.mjs';

process.once('message', (task) => void run(task));

async function run({ url, requests, connections, seconds }) {
  const durations = new Histogram();
  const started = performance.now();
  let nextShare = 0;
  const instance = autocannon({
    url: url + requests[0].path,
    connections,
    duration: seconds,
    requests: [requests[0]],
    // Given to each client alone: autocannon would copy the whole list for every connection.
    setupClient: (client) => {
      if (requests.length === 1) return;
      const share = requests.filter((_, index) => index % connections === nextShare % requests.length);
      nextShare += 1;
      client.setRequests(share.length > 0 ? share : [requests[0]]);
    },
  });
  // autocannon's own histogram counts whole milliseconds.
  instance.on('response', (_client, _status, _bytes, milliseconds) => durations.record(milliseconds));
  const result = await instance;
  process.send({
    requests: result.requests.total,
    seconds: Math.min(result.duration, (performance.now() - started) / 1000),
    p50Ms: durations.percentile(0.5),
    p99Ms: durations.percentile(0.99),
    failures: result.non2xx + result.errors + result.timeouts,
  });
}
