import createClient from 'openapi-fetch';
import type { paths } from '../../../.cache/clients/foreman/schema.js';
import { given, present, report } from './program.js';

const headers = { Authorization: `Bearer ${given.token}` };
const client = createClient<paths>({ baseUrl: given.url, headers });
const TOKENS = '/api/users/{user_id}/personal_access_tokens';
const owner = { user_id: given.login };

const create = await client.POST(TOKENS, {
  params: { path: owner },
  body: { personal_access_token: { name: `generated ${given.token.slice(3, 15)}` } },
});
const { id, name, token_value: value, expires_at: expiresAt } = present(create.data);
const neverExpires: string | null = expiresAt;
const list = await client.GET(TOKENS, { params: { path: owner, query: { per_page: 'all' } } });
const params = { path: { ...owner, id: String(id) } };
const get = await client.GET(`${TOKENS}/{id}`, { params });
const revoke = await client.DELETE(`${TOKENS}/{id}`, { params });
const ended = await client.GET(`${TOKENS}/{id}`, { params });
const unknown = await client.GET(`${TOKENS}/{id}`, { params: { path: { ...owner, id: '0' } } });

report({
  create: [create.response.status, value.startsWith('pt-'), neverExpires],
  list: [list.response.status, present(list.data).results.some((token) => token.name === name)],
  get: [get.response.status, get.data?.['active?'], get.data?.['revoked?']],
  revoke: [revoke.response.status, revoke.data?.revoked],
  ended: [ended.response.status, ended.data?.['active?'], ended.data?.['revoked?']],
  unknown: [
    unknown.response.status,
    unknown.error && 'error' in unknown.error && unknown.error.error.message,
  ],
});
