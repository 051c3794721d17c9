import { createClient } from '../../../.cache/clients/patois/sdk/client/index.js';
import {
  createToken,
  getMe,
  getToken,
  introspectToken,
  listTokens,
  revokeToken,
  verifyTokens,
} from '../../../.cache/clients/patois/sdk/index.js';
import { bearer, given, present, report } from './program.js';

const client = createClient({ baseUrl: given.url, auth: bearer });

const me = await getMe({ client });
const owner = present(me.data).user.login;
const create = await createToken({
  client,
  body: { dialect: 'patois', owner, name: 'generated', scopes: ['patois:tokens.read'] },
});
const { tokenId, token, expiresAt } = present(create.data);
const neverExpires: string | null = expiresAt;
const list = await listTokens({ client, query: { owner, neverUsed: true, limit: 10 } });
const get = await getToken({ client, path: { tokenId } });
const verify = await verifyTokens({ client, body: { verifications: [{ token }] } });
const revoke = await revokeToken({ client, path: { tokenId } });
const ended = await getToken({ client, path: { tokenId } });
const unknown = await getToken({ client, path: { tokenId: 'nothing' } });
const introspect = await introspectToken({ client, body: { token } });

report({
  create: [create.response?.status, token.startsWith(`${tokenId}_`), neverExpires],
  list: [list.response?.status, present(list.data).items.map(({ name }) => name), list.data?.nextCursor],
  get: [get.response?.status, get.data?.status],
  verify: [verify.response?.status, verify.data?.verifications.map(({ active }) => active)],
  revoke: revoke.response?.status,
  ended: [ended.response?.status, ended.data?.status],
  unknown: [unknown.response?.status, unknown.error?.title],
  introspect: [introspect.response?.status, introspect.data?.active],
});
