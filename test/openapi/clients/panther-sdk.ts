import { createClient } from '../../../.cache/clients/panther/sdk/client/index.js';
import {
  createApiToken,
  deleteApiToken,
  getApiToken,
  listApiTokens,
} from '../../../.cache/clients/panther/sdk/index.js';
import { given, present, report } from './program.js';

const auth = ({ type }: { type: string }): string | undefined =>
  type === 'apiKey' ? given.token : undefined;
const client = createClient({ baseUrl: given.url, auth });

const create = await createApiToken({ client, body: { name: 'generated', permissions: ['BulkUpload'] } });
const { id, value, expiresAt } = present(create.data);
const neverExpires: null | string = expiresAt;
const list = await listApiTokens({ client, query: { limit: 10 } });
const get = await getApiToken({ client, path: { id } });
const revoke = await deleteApiToken({ client, path: { id } });
const gone = await getApiToken({ client, path: { id } });

report({
  create: [create.response?.status, value.startsWith('pt-'), neverExpires],
  list: [list.response?.status, present(list.data).results.map(({ name }) => name)],
  get: [get.response?.status, get.data?.permissions],
  revoke: revoke.response?.status,
  gone: [gone.response?.status, gone.error?.error],
});
