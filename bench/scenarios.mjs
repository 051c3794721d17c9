// What is measured, on whom, and what is aimed at.

/**
 * Everybody who is loaded, each with: `id`; `label`; `needs`, the servers to be started; `server`, whom of them is
 * loaded; `requests`, made of what is known then; `answers`, how many answers one response holds (1); `connections`,
 * where they differ from the run's.
 */
export const CONTENDERS = [
  {
    id: 'bare',
    group: 'verify',
    label: 'bare `node:http`, only answers 204',
    server: 'bare',
    requests: ({ token }) => [get('/', token)],
  },
  {
    id: 'bare-together',
    group: 'verify',
    label: 'bare `node:http`, answers once a turn of its loop',
    server: 'bareTogether',
    requests: ({ token }) => [get('/', token)],
  },
  {
    id: 'verify-1',
    group: 'verify',
    label: 'Patois `/verify`, warm, 1 token',
    server: 'patois',
    requests: ({ token }) => [get('/verify', token)],
  },
  {
    id: 'verify-many',
    group: 'verify',
    label: 'Patois `/verify`, warm, 100,000 tokens',
    server: 'patois',
    isPrewarmed: true,
    requests: ({ tokens }) => tokens.map((token) => get('/verify', token)),
  },
  {
    id: 'verify-cidr',
    group: 'verify',
    label: 'Patois `/verify`, warm, token with 3 CIDR blocks',
    server: 'patois',
    requests: ({ confined }) => [get('/verify', confined)],
  },
  {
    id: 'express-memory',
    group: 'verify',
    label: 'express, passport-http-bearer, tokens in a Map',
    server: 'expressMemory',
    requests: ({ token }) => [get('/', token)],
  },
  {
    id: 'one-select',
    group: 'cold',
    label: '`node:http` and one prepared select',
    server: 'oneSelect',
    requests: ({ tokens }) => tokens.map((token) => get('/', token)),
  },
  {
    id: 'verify-cold',
    group: 'cold',
    label: 'Patois `/verify`, cold (cache off), 100,000 tokens',
    server: 'patoisCold',
    requests: ({ tokens }) => tokens.map((token) => get('/verify', token)),
  },
  {
    id: 'express-select',
    group: 'cold',
    label: 'express, passport-http-bearer, one prepared select',
    server: 'expressSelect',
    requests: ({ tokens }) => tokens.map((token) => get('/', token)),
  },
  {
    id: 'better-auth',
    group: 'better-auth',
    label: 'better-auth, API-key plugin, PostgreSQL',
    server: 'betterAuth',
    requests: ({ betterAuthKeys }) => betterAuthKeys.map((key) => get('/', key)),
  },
  {
    id: 'bare-post',
    group: 'introspection',
    label: 'bare `node:http`, reads a form, answers a fixed text',
    server: 'bare',
    requests: ({ token, introspector }) => [introspect('/', token, `Bearer ${introspector}`)],
  },
  {
    id: 'introspect-1',
    group: 'introspection',
    label: 'Patois introspection, warm, 1 token',
    server: 'patois',
    requests: ({ token, introspector }) => [
      introspect('/oauth2/introspect', token, `Bearer ${introspector}`),
    ],
  },
  {
    id: 'introspect-many',
    group: 'introspection',
    label: 'Patois introspection, warm, 100,000 tokens',
    server: 'patois',
    isPrewarmed: true,
    requests: ({ tokens, introspector }) =>
      tokens.map((token) => introspect('/oauth2/introspect', token, `Bearer ${introspector}`)),
  },
  {
    id: 'oidc-memory',
    group: 'introspection',
    label: 'oidc-provider introspection, in memory',
    server: 'oidcMemory',
    requests: ({ oidcMemoryTokens: [token], oidcSecret }) => [
      introspect('/token/introspection', token, basic('bench', oidcSecret)),
    ],
  },
  {
    id: 'oidc-postgres',
    group: 'introspection',
    label: 'oidc-provider introspection, PostgreSQL adapter',
    server: 'oidcPostgres',
    requests: ({ oidcPostgresTokens, oidcSecret }) =>
      oidcPostgresTokens.map((token) =>
        introspect('/token/introspection', token, basic('bench', oidcSecret)),
      ),
  },
  {
    id: 'batch',
    group: 'batch',
    label: 'Patois batch of 1,000, warm, 100,000 tokens (tokens)',
    server: 'patois',
    isPrewarmed: true,
    answers: 1000,
    connections: 4,
    requests: ({ tokens, introspector }) => batches(tokens, introspector),
  },
  {
    id: 'nginx-bare',
    group: 'nginx',
    label: 'nginx, `auth_request` to bare `node:http`',
    server: 'nginxBare',
    requests: ({ token }) => [get('/', token)],
  },
  {
    id: 'nginx-patois',
    group: 'nginx',
    label: 'nginx, `auth_request` to Patois, warm, 1 token',
    server: 'nginxPatois',
    requests: ({ token }) => [get('/', token)],
  },
  {
    id: 'workers-1',
    group: 'workers',
    label: 'Patois `/verify`, warm, `WORKERS=1`',
    server: 'patois',
    requests: ({ token }) => [get('/verify', token)],
  },
  {
    id: 'workers-2',
    group: 'workers',
    label: 'Patois `/verify`, warm, `WORKERS=2`',
    server: 'patoisTwoWorkers',
    requests: ({ token }) => [get('/verify', token)],
  },
];

/** At half of its own peak rate: whose latency is measured. */
export const PACED = ['bare', 'verify-1', 'verify-many'];

export const GROUPS = [...new Set(CONTENDERS.map(({ group }) => group)), 'latency'];

/** Ratios of medians to be reported, and what is aimed at. */
export const RATIOS = [
  { of: 'verify-1', to: 'bare', atLeast: 0.75 },
  { of: 'verify-1', to: 'bare-together' },
  { of: 'verify-many', to: 'bare' },
  { of: 'verify-cidr', to: 'bare' },
  { of: 'verify-1', to: 'express-memory' },
  { of: 'verify-1', to: 'better-auth', atLeast: 40 },
  { of: 'introspect-1', to: 'bare-post' },
  { of: 'introspect-1', to: 'oidc-memory', atLeast: 8 },
  { of: 'introspect-many', to: 'oidc-memory' },
  { of: 'introspect-1', to: 'oidc-postgres' },
  { of: 'verify-cold', to: 'one-select', atLeast: 0.7 },
  { of: 'verify-cold', to: 'express-select' },
  { of: 'nginx-patois', to: 'nginx-bare', atLeast: 0.8 },
  { of: 'workers-2', to: 'workers-1' },
];

/** Figures that are aimed at by themselves. */
export const AIMS = { batchTokensASecond: 150_000, p99Ms: 5 };

function get(path, token) {
  return { method: 'GET', path, headers: { authorization: `Bearer ${token}` } };
}

function introspect(path, token, authorization) {
  return {
    method: 'POST',
    path,
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
    body: `token=${token}`,
  };
}

function basic(login, secret) {
  return `Basic ${Buffer.from(`${login}:${secret}`).toString('base64')}`;
}

/** The verifications of all these tokens, by the thousand. */
export function batches(tokens, introspector) {
  const size = 1000;
  return Array.from({ length: Math.floor(tokens.length / size) }, (_, index) => ({
    method: 'POST',
    path: '/patois/v1/verifications',
    headers: { authorization: `Bearer ${introspector}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      verifications: tokens.slice(index * size, (index + 1) * size).map((token) => ({ token })),
    }),
  }));
}
