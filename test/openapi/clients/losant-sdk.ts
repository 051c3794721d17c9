import { createClient } from '../../../.cache/clients/losant/sdk/client/index.js';
import {
  userApiTokenDelete,
  userApiTokenGet,
  userApiTokenPatch,
  userApiTokensGet,
  userApiTokensPost,
} from '../../../.cache/clients/losant/sdk/index.js';
import { bearer, given, present, report } from './program.js';

const client = createClient({ baseUrl: given.url, auth: bearer });

const create = await userApiTokensPost({ client, body: { name: 'generated', scope: ['all.User.read'] } });
const { id, token, expirationDate } = present(create.data);
const neverExpires: string | undefined = expirationDate;
const path = { apiTokenId: id };
const list = await userApiTokensGet({ client, query: { sortField: 'creationDate', perPage: 10 } });
const get = await userApiTokenGet({ client, path });
const patch = await userApiTokenPatch({ client, path, body: { status: 'inactive' } });
const revoke = await userApiTokenDelete({ client, path });
const gone = await userApiTokenGet({ client, path });

report({
  create: [create.response?.status, token.startsWith('pt-'), neverExpires ?? 'never'],
  list: [list.response?.status, present(list.data).items.map(({ name }) => name)],
  get: [get.response?.status, get.data?.scope],
  patch: [patch.response?.status, patch.data?.status],
  revoke: [revoke.response?.status, revoke.data?.success],
  gone: [gone.response?.status, gone.error?.type],
});
