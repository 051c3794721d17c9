import createClient from 'openapi-fetch';
import type { paths } from '../../../.cache/clients/quay/schema.js';
import { given, present, report } from './program.js';

const headers = { Authorization: `Bearer ${given.token}` };
const client = createClient<paths>({ baseUrl: given.url, headers });

const create = await client.POST('/api/v1/user/apptoken', { body: { title: 'generated' } });
const { uuid, token_code: code, expiration } = present(create.data).token;
const neverExpires: null | string = expiration;
const params = { path: { token_uuid: uuid } };
const list = await client.GET('/api/v1/user/apptoken');
const get = await client.GET('/api/v1/user/apptoken/{token_uuid}', { params });
const revoke = await client.DELETE('/api/v1/user/apptoken/{token_uuid}', { params });
const gone = await client.GET('/api/v1/user/apptoken/{token_uuid}', { params });

report({
  create: [create.response.status, code.startsWith('pt-'), neverExpires],
  list: [list.response.status, present(list.data).tokens.map(({ title }) => title)],
  get: [get.response.status, get.data?.token.title],
  revoke: revoke.response.status,
  gone: [gone.response.status, gone.error?.error_type],
});
