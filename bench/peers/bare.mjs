// The floor under everything on Node: to a GET it reads nothing and says 204; of a POST it reads the body and answers a
// fixed text as long as an introspection's.
import { createServer } from 'node:http';
import { listen } from './answering.mjs';

const TEXT = JSON.stringify({ active: true, filler: 'x'.repeat(300) });

listen(
  createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(204).end();
      return;
    }
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const headers = { 'content-type': 'application/json', 'content-length': TEXT.length };
      response.writeHead(200, headers).end(TEXT);
    });
  }),
  'bare node:http',
);
