import createClient from 'openapi-fetch';
import type { paths } from '../../../.cache/clients/losant/schema.js';
import { given, present, report } from './program.js';

const headers = { Authorization: `Bearer ${given.token}` };
const client = createClient<paths>({ baseUrl: given.url, headers });

const create = await client.POST('/me/tokens', { body: { name: 'generated', scope: ['all.User.read'] } });
const { id, token, expirationDate } = present(create.data);
const neverExpires: string | undefined = expirationDate;
const params = { path: { apiTokenId: id } };
const list = await client.GET('/me/tokens', {
  params: { query: { sortField: 'creationDate', perPage: 10 } },
});
const get = await client.GET('/me/tokens/{apiTokenId}', { params });
const patch = await client.PATCH('/me/tokens/{apiTokenId}', { params, body: { status: 'inactive' } });
const revoke = await client.DELETE('/me/tokens/{apiTokenId}', { params });
const gone = await client.GET('/me/tokens/{apiTokenId}', { params });

report({
  create: [create.response.status, token.startsWith('pt-'), neverExpires ?? 'never'],
  list: [list.response.status, present(list.data).items.map(({ name }) => name)],
  get: [get.response.status, get.data?.scope],
  patch: [patch.response.status, patch.data?.status],
  revoke: [revoke.response.status, revoke.data?.success],
  gone: [gone.response.status, gone.error?.type],
});
