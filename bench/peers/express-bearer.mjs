// Express with passport-http-bearer, as its documentation has it: tokens in a Map, or, with DATABASE_URL, one prepared
// select a request.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import express from 'express';
import passport from 'passport';
import { Strategy } from 'passport-http-bearer';
import pg from 'pg';
import { listen } from './answering.mjs';

const TOKEN_ID_LENGTH = 'pt-123456789012'.length;
const { DATABASE_URL, TOKENS_FILE } = process.env;

const inMemory = () => {
  const users = new Map(
    readFileSync(TOKENS_FILE, 'utf8')
      .trim()
      .split('\n')
      .map((token, index) => [token, { id: index }]),
  );
  return (token, done) => done(null, users.get(token) ?? false);
};

const inPostgres = () => {
  const pool = new pg.Pool({ connectionString: DATABASE_URL });
  const text = 'SELECT id, owner_id, revoked_at FROM tokens WHERE token_id = $1';
  return (token, done) => {
    pool.query({ name: 'one', text, values: [token.slice(0, TOKEN_ID_LENGTH)] }).then(
      ({ rows: [row] }) => done(null, row ?? false),
      (error) => done(error),
    );
  };
};

passport.use(new Strategy(DATABASE_URL ? inPostgres() : inMemory()));
const app = express();
app.disable('x-powered-by');
app.get('/', passport.authenticate('bearer', { session: false }), (_request, response) => {
  response.status(204).end();
});
listen(createServer(app), 'express with passport-http-bearer');
