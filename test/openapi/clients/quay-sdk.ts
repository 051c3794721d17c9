import { createClient } from '../../../.cache/clients/quay/sdk/client/index.js';
import {
  createAppToken,
  getAppToken,
  listAppTokens,
  revokeAppToken,
} from '../../../.cache/clients/quay/sdk/index.js';
import { bearer, given, present, report } from './program.js';

const client = createClient({ baseUrl: given.url, auth: bearer });

const create = await createAppToken({ client, body: { title: 'generated' } });
const { uuid, token_code: code, expiration } = present(create.data).token;
const neverExpires: null | string = expiration;
const path = { token_uuid: uuid };
const list = await listAppTokens({ client });
const get = await getAppToken({ client, path });
const revoke = await revokeAppToken({ client, path });
const gone = await getAppToken({ client, path });

report({
  create: [create.response?.status, code.startsWith('pt-'), neverExpires],
  list: [list.response?.status, present(list.data).tokens.map(({ title }) => title)],
  get: [get.response?.status, get.data?.token.title],
  revoke: revoke.response?.status,
  gone: [gone.response?.status, gone.error?.error_type],
});
