import createClient from 'openapi-fetch';
import type { paths } from '../../../.cache/clients/yunxiao/schema.js';
import { given, present, report } from './program.js';

const headers = { 'x-yunxiao-token': given.token };
const client = createClient<paths>({ baseUrl: given.url, headers });
const TOKENS = '/oapi/v1/platform/users/admin/personalAccessTokens';

const user = await client.GET('/oapi/v1/platform/user');
const userId = present(user.data).id;
const body = {
  userId,
  name: 'generated',
  permissions: ['base_user_read'],
  expiredAt: '2099-01-01T00:00:00Z',
};
const create = await client.POST(TOKENS, { body });
const { tokenId, token, expiredAt } = present(create.data);
const list = await client.GET(TOKENS, { params: { query: { userId } } });
const listed: (string | null)[] = present(list.data).map((item) => item.expired_at);
const params = { path: { tokenId } };
const revoke = await client.DELETE(`${TOKENS}/{tokenId}`, { params });
const gone = await client.DELETE(`${TOKENS}/{tokenId}`, { params });

report({
  user: [user.response.status, present(user.data).username],
  create: [create.response.status, token.startsWith(`${tokenId}_`), expiredAt],
  list: [list.response.status, listed.includes(expiredAt), present(list.data).map(({ name }) => name)],
  revoke: revoke.response.status,
  gone: [gone.response.status, gone.error?.errorCode],
});
