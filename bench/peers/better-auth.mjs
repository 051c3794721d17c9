// better-auth with its API-key plugin on PostgreSQL. The plugin verifies and makes keys by calls inside the server; this is
// the least HTTP around them: a POST makes a key, all else verifies one. Its rate limit, by default 10 requests a day and key, is off; all else is as it comes.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import pg from 'pg';
import { bearerOf, listen } from './answering.mjs';

const { DATABASE_URL, KEYS_FILE, KEYS = '1000', SECRET } = process.env;

const auth = betterAuth({
  baseURL: 'http://127.0.0.1',
  secret: SECRET,
  database: new pg.Pool({ connectionString: DATABASE_URL }),
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
  telemetry: { enabled: false },
  logger: { level: 'error' },
});

await (await getMigrations(auth.options)).runMigrations();
const { user } = await auth.api.signUpEmail({
  body: { name: 'Bench', email: 'bench@example.com', password: `${SECRET}-password` },
});
const keys = [];
for (let made = 0; made < Number(KEYS); made += 1) {
  const { key } = await auth.api.createApiKey({ body: { userId: user.id } });
  keys.push(key);
}
writeFileSync(KEYS_FILE, keys.join('\n'));

listen(
  createServer((request, response) => {
    if (request.method === 'POST') {
      create().then(
        (text) => {
          const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
          response.writeHead(201, headers).end(text);
        },
        () => response.writeHead(503, { 'content-length': 0 }).end(),
      );
      return;
    }
    auth.api.verifyApiKey({ body: { key: bearerOf(request) ?? '' } }).then(
      ({ valid }) => response.writeHead(valid ? 204 : 401).end(),
      () => response.writeHead(503).end(),
    );
  }),
  'better-auth',
);

async function create() {
  return JSON.stringify(await auth.api.createApiKey({ body: { userId: user.id, name: 'issued' } }));
}
