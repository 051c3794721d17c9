import createClient from 'openapi-fetch';
import type { paths } from '../../../.cache/clients/panther/schema.js';
import { given, present, report } from './program.js';

const client = createClient<paths>({ baseUrl: given.url, headers: { 'X-API-Key': given.token } });

const create = await client.POST('/api-tokens', { body: { name: 'generated', permissions: ['BulkUpload'] } });
const { id, value, expiresAt } = present(create.data);
const neverExpires: null | string = expiresAt;
const params = { path: { id } };
const list = await client.GET('/api-tokens', { params: { query: { limit: 10 } } });
const get = await client.GET('/api-tokens/{id}', { params });
const revoke = await client.DELETE('/api-tokens/{id}', { params });
const gone = await client.GET('/api-tokens/{id}', { params });

report({
  create: [create.response.status, value.startsWith('pt-'), neverExpires],
  list: [list.response.status, present(list.data).results.map(({ name }) => name)],
  get: [get.response.status, get.data?.permissions],
  revoke: revoke.response.status,
  gone: [gone.response.status, gone.error?.error],
});
