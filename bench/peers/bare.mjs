// The floor under everything on Node: it reads nothing and says 204.
import { createServer } from 'node:http';
import { listen } from './answering.mjs';

listen(
  createServer((_request, response) => {
    response.writeHead(204).end();
  }),
  'bare node:http',
);
