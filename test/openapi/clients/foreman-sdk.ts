import { createClient } from '../../../.cache/clients/foreman/sdk/client/index.js';
import {
  createPersonalAccessToken,
  listPersonalAccessTokens,
  revokePersonalAccessToken,
  showPersonalAccessToken,
} from '../../../.cache/clients/foreman/sdk/index.js';
import { given, present, report } from './program.js';

const auth = ({ scheme }: { scheme?: string }): string | undefined =>
  scheme === 'basic' ? `${given.login}:${given.token}` : undefined;
const client = createClient({ baseUrl: given.url, auth });
const owner = { user_id: given.login };

const create = await createPersonalAccessToken({
  client,
  path: owner,
  body: { personal_access_token: { name: `generated ${given.token.slice(3, 15)}` } },
});
const { id, name, token_value: value, expires_at: expiresAt } = present(create.data);
const neverExpires: string | null = expiresAt;
const list = await listPersonalAccessTokens({ client, path: owner, query: { per_page: 'all' } });
const path = { ...owner, id: String(id) };
const get = await showPersonalAccessToken({ client, path });
const revoke = await revokePersonalAccessToken({ client, path });
const ended = await showPersonalAccessToken({ client, path });
const unknown = await showPersonalAccessToken({ client, path: { ...owner, id: '0' } });

report({
  create: [create.response?.status, value.startsWith('pt-'), neverExpires],
  list: [list.response?.status, present(list.data).results.some((token) => token.name === name)],
  get: [get.response?.status, get.data?.['active?'], get.data?.['revoked?']],
  revoke: [revoke.response?.status, revoke.data?.revoked],
  ended: [ended.response?.status, ended.data?.['active?'], ended.data?.['revoked?']],
  unknown: [
    unknown.response?.status,
    unknown.error && 'error' in unknown.error && unknown.error.error.message,
  ],
});
