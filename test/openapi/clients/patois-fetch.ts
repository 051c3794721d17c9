import createClient from 'openapi-fetch';
import type { paths } from '../../../.cache/clients/patois/schema.js';
import { given, present, report } from './program.js';

const headers = { Authorization: `Bearer ${given.token}` };
const client = createClient<paths>({ baseUrl: given.url, headers });

const me = await client.GET('/patois/v1/me');
const owner = present(me.data).user.login;
const create = await client.POST('/patois/v1/tokens', {
  body: { dialect: 'patois', owner, name: 'generated', scopes: ['patois:tokens.read'] },
});
const { tokenId, token, expiresAt } = present(create.data);
const neverExpires: string | null = expiresAt;
const params = { path: { tokenId } };
const list = await client.GET('/patois/v1/tokens', {
  params: { query: { owner, neverUsed: true, limit: 10 } },
});
const get = await client.GET('/patois/v1/tokens/{tokenId}', { params });
const verify = await client.POST('/patois/v1/verifications', { body: { verifications: [{ token }] } });
const revoke = await client.DELETE('/patois/v1/tokens/{tokenId}', { params });
const ended = await client.GET('/patois/v1/tokens/{tokenId}', { params });
const unknown = await client.GET('/patois/v1/tokens/{tokenId}', { params: { path: { tokenId: 'nothing' } } });
const introspect = await client.POST('/oauth2/introspect', {
  body: { token },
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
});

report({
  create: [create.response.status, token.startsWith(`${tokenId}_`), neverExpires],
  list: [list.response.status, present(list.data).items.map(({ name }) => name), list.data?.nextCursor],
  get: [get.response.status, get.data?.status],
  verify: [verify.response.status, verify.data?.verifications.map(({ active }) => active)],
  revoke: revoke.response.status,
  ended: [ended.response.status, ended.data?.status],
  unknown: [unknown.response.status, unknown.error?.title],
  introspect: [introspect.response.status, introspect.data?.active],
});
