// As bare.mjs to a GET, but the requests of one turn of the event loop are answered together at its end, as Patois' two
// busiest doors do it: what is left between this and Patois is the price of the verdict.
import { createServer } from 'node:http';
import { listen } from './answering.mjs';

let waiting = [];

listen(
  createServer((_request, response) => {
    if (waiting.push(response) === 1) setImmediate(answerAll);
  }),
  'bare node:http, together',
);

function answerAll() {
  const responses = waiting;
  waiting = [];
  for (const response of responses) response.writeHead(204).end();
}
