// The floor under everything that asks a database once a request: one prepared select by a unique text, then 204.
// It reads the table of the Patois beside it, by the same index, and compares nothing.
import { createServer } from 'node:http';
import pg from 'pg';
import { bearerOf, listen } from './answering.mjs';

const TOKEN_ID_LENGTH = 'pt-123456789012'.length;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const text = 'SELECT id, owner_id, revoked_at FROM tokens WHERE token_id = $1';

listen(
  createServer((request, response) => {
    const values = [bearerOf(request)?.slice(0, TOKEN_ID_LENGTH)];
    pool.query({ name: 'one', text, values }).then(
      ({ rows }) => response.writeHead(rows.length === 1 ? 204 : 401).end(),
      () => response.writeHead(503).end(),
    );
  }),
  'one select',
);
