import { createClient } from '../../../.cache/clients/yunxiao/sdk/client/index.js';
import {
  createUserPersonalAccessToken,
  deleteUserPersonalAccessToken,
  getUserByToken,
  listUserPersonalAccessTokens,
} from '../../../.cache/clients/yunxiao/sdk/index.js';
import { given, present, report } from './program.js';

const auth = ({ type }: { type: string }): string | undefined =>
  type === 'apiKey' ? given.token : undefined;
const client = createClient({ baseUrl: given.url, auth });

const user = await getUserByToken({ client });
const userId = present(user.data).id;
const body = {
  userId,
  name: 'generated',
  permissions: ['base_user_read'],
  expiredAt: '2099-01-01T00:00:00Z',
};
const create = await createUserPersonalAccessToken({ client, body });
const { tokenId, token, expiredAt } = present(create.data);
const list = await listUserPersonalAccessTokens({ client, query: { userId } });
const listed: (string | null)[] = present(list.data).map((item) => item.expired_at);
const path = { tokenId };
const revoke = await deleteUserPersonalAccessToken({ client, path });
const gone = await deleteUserPersonalAccessToken({ client, path });

report({
  user: [user.response?.status, present(user.data).username],
  create: [create.response?.status, token.startsWith(`${tokenId}_`), expiredAt],
  list: [list.response?.status, listed.includes(expiredAt), present(list.data).map(({ name }) => name)],
  revoke: revoke.response?.status,
  gone: [gone.response?.status, gone.error?.errorCode],
});
