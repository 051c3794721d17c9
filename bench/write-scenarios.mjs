// Which changes and reads are measured, on whom, and beside whom.
import { bearer, withJson } from './support/requests.mjs';

const SCOPES = ['patois:introspect'];
const BATCH = 1000;

/** How many tokens are rotated, updated or read in turn, where a request may be sent again. */
export const TARGETS_IN_TURN = 5000;

/**
 * Everybody who is loaded, each with: `id`; `group`; `label`; `server`; `requests`, made of what is known: `caller`, a user
 * of this contender's own (`{ id, login, value }`, the value of a token that may do everything), `administrator` (a value),
 * `targets` (tokens of the caller's), `count` and `tag`. `targets` is the dialect of the tokens that requests are about;
 * `isOnce`, that no request may be sent twice; `answers`, how many changes one request makes (1); `isOptional`, that it is
 * left out where there is no such route.
 */
export const CONTENDERS = [
  {
    id: 'issue-bare',
    group: 'issue',
    label: 'by hand: issue',
    server: 'bare',
    requests: ({ caller }) => [
      send('POST', '/tokens', bearer(caller.value), { name: 'issued', scopes: SCOPES }),
    ],
  },
  {
    id: 'issue-patois',
    group: 'issue',
    label: 'Patois: issue',
    server: 'patois',
    requests: ({ caller }) => [send('POST', '/patois/v1/tokens', bearer(caller.value), ownToken(caller))],
  },
  {
    id: 'batch',
    group: 'issue',
    label: 'Patois: issue 1,000 at once (tokens)',
    server: 'patois',
    answers: BATCH,
    connections: 4,
    isOptional: true,
    requests: ({ caller }) => [
      send('POST', '/patois/v1/tokens:batch', bearer(caller.value), {
        tokens: Array.from({ length: BATCH }, () => ownToken(caller)),
      }),
    ],
  },
  {
    id: 'issue-foreman',
    group: 'issue',
    label: 'Foreman: issue',
    server: 'patois',
    // Names are unique among the tokens of a user.
    isOnce: true,
    requests: ({ caller, count, tag }) =>
      Array.from({ length: count }, (_, index) =>
        send('POST', foremanPath(caller), bearer(caller.value), {
          personal_access_token: { name: `${tag} ${index}` },
        }),
      ),
  },
  {
    id: 'issue-yunxiao',
    group: 'issue',
    label: 'Yunxiao: issue',
    server: 'patois',
    requests: ({ caller, administrator }) => [
      send('POST', YUNXIAO_PATH, yunxiao(administrator), {
        userId: caller.id,
        name: 'issued',
        permissions: ['base_user_read'],
        expiredAt: '2099-01-31T12:00:00.000Z',
      }),
    ],
  },
  {
    id: 'issue-panther',
    group: 'issue',
    label: 'Panther: issue',
    server: 'patois',
    requests: ({ caller }) => [
      send('POST', '/api-tokens', panther(caller), { name: 'issued', permissions: ['BulkUpload'] }),
    ],
  },
  {
    id: 'issue-quay',
    group: 'issue',
    label: 'Quay: issue',
    server: 'patois',
    requests: ({ caller }) => [
      send('POST', '/api/v1/user/apptoken', bearer(caller.value), { title: 'issued' }),
    ],
  },
  {
    id: 'issue-losant',
    group: 'issue',
    label: 'Losant: issue',
    server: 'patois',
    requests: ({ caller }) => [
      send('POST', '/me/tokens', bearer(caller.value), { name: 'issued', scope: ['all.User'] }),
    ],
  },
  {
    id: 'issue-better-auth',
    group: 'issue',
    label: 'better-auth: create an API key',
    server: 'betterAuth',
    requests: () => [send('POST', '/', {})],
  },
  {
    id: 'issue-oidc',
    group: 'issue',
    label: 'oidc-provider: client credentials, PostgreSQL adapter',
    server: 'oidcPostgres',
    requests: ({ oidcSecret }) => [
      {
        method: 'POST',
        path: '/token',
        headers: {
          authorization: `Basic ${Buffer.from(`bench:${oidcSecret}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials&scope=api:read',
      },
    ],
  },
  {
    id: 'rotate-bare',
    group: 'rotate',
    label: 'by hand: rotate',
    server: 'bare',
    targets: 'patois',
    requests: each(({ tokenId }, { value }) => send('POST', `/tokens/${tokenId}/rotate`, bearer(value))),
  },
  {
    id: 'rotate-patois',
    group: 'rotate',
    label: 'Patois: rotate',
    server: 'patois',
    targets: 'patois',
    requests: each(({ tokenId }, { value }) =>
      send('POST', `/patois/v1/tokens/${tokenId}/rotate`, bearer(value)),
    ),
  },
  {
    id: 'rotate-panther',
    group: 'rotate',
    label: 'Panther: rotate',
    server: 'patois',
    targets: 'panther',
    requests: each(({ pantherId }, caller) =>
      send('POST', `/api-tokens/${pantherId}/rotate`, panther(caller)),
    ),
  },
  {
    id: 'revoke-bare',
    group: 'revoke',
    label: 'by hand: revoke',
    server: 'bare',
    targets: 'patois',
    isOnce: true,
    requests: each(({ tokenId }, { value }) => send('DELETE', `/tokens/${tokenId}`, bearer(value))),
  },
  {
    id: 'revoke-patois',
    group: 'revoke',
    label: 'Patois: revoke',
    server: 'patois',
    targets: 'patois',
    isOnce: true,
    requests: each(({ tokenId }, { value }) => send('DELETE', `/patois/v1/tokens/${tokenId}`, bearer(value))),
  },
  {
    id: 'revoke-foreman',
    group: 'revoke',
    label: 'Foreman: revoke',
    server: 'patois',
    targets: 'foreman',
    isOnce: true,
    requests: each(({ numericId }, caller) =>
      send('DELETE', `${foremanPath(caller)}/${numericId}`, bearer(caller.value)),
    ),
  },
  {
    id: 'revoke-yunxiao',
    group: 'revoke',
    label: 'Yunxiao: revoke',
    server: 'patois',
    targets: 'yunxiao',
    isOnce: true,
    requests: each(({ tokenId }, _, administrator) =>
      send('DELETE', `${YUNXIAO_PATH}/${tokenId}`, yunxiao(administrator)),
    ),
  },
  {
    id: 'revoke-panther',
    group: 'revoke',
    label: 'Panther: revoke',
    server: 'patois',
    targets: 'panther',
    isOnce: true,
    requests: each(({ pantherId }, caller) => send('DELETE', `/api-tokens/${pantherId}`, panther(caller))),
  },
  {
    id: 'revoke-quay',
    group: 'revoke',
    label: 'Quay: revoke',
    server: 'patois',
    targets: 'quay',
    isOnce: true,
    requests: each(({ id }, { value }) => send('DELETE', `/api/v1/user/apptoken/${id}`, bearer(value))),
  },
  {
    id: 'revoke-losant',
    group: 'revoke',
    label: 'Losant: revoke',
    server: 'patois',
    targets: 'losant',
    isOnce: true,
    requests: each(({ losantId }, { value }) => send('DELETE', `/me/tokens/${losantId}`, bearer(value))),
  },
  {
    id: 'update-bare',
    group: 'update',
    label: 'by hand: update',
    server: 'bare',
    targets: 'patois',
    requests: each(({ tokenId }, { value }) =>
      send('PATCH', `/tokens/${tokenId}`, bearer(value), { description: 'updated' }),
    ),
  },
  {
    id: 'update-patois',
    group: 'update',
    label: 'Patois: update',
    server: 'patois',
    targets: 'patois',
    requests: each(({ tokenId }, { value }) =>
      send('PATCH', `/patois/v1/tokens/${tokenId}`, bearer(value), { description: 'updated' }),
    ),
  },
  {
    id: 'one-select',
    group: 'read',
    label: '`node:http` and one prepared select',
    server: 'oneSelect',
    targets: 'patois',
    requests: each(({ value }) => send('GET', '/', bearer(value))),
  },
  {
    id: 'get',
    group: 'read',
    label: 'Patois: get a token',
    server: 'patois',
    targets: 'patois',
    requests: each(({ tokenId }, { value }) => send('GET', `/patois/v1/tokens/${tokenId}`, bearer(value))),
  },
  {
    id: 'me',
    group: 'read',
    label: 'Patois: `/patois/v1/me`',
    server: 'patois',
    requests: ({ caller }) => [send('GET', '/patois/v1/me', bearer(caller.value))],
  },
];

export const GROUPS = [...new Set(CONTENDERS.map(({ group }) => group))];

/** Ratios of medians to be reported. */
export const RATIOS = [
  ...CONTENDERS.filter(({ server, group }) => server === 'patois' && group !== 'read').map(
    ({ id, group }) => ({
      of: id,
      to: `${group}-bare`,
    }),
  ),
  { of: 'batch', to: 'issue-patois' },
  { of: 'issue-patois', to: 'issue-better-auth' },
  { of: 'issue-patois', to: 'issue-oidc' },
  { of: 'get', to: 'one-select' },
  { of: 'me', to: 'one-select' },
];

const YUNXIAO_PATH = '/oapi/v1/platform/users/admin/personalAccessTokens';

function foremanPath({ login }) {
  return `/api/users/${login}/personal_access_tokens`;
}

function ownToken({ login }) {
  return { dialect: 'patois', owner: login, name: 'issued', scopes: SCOPES };
}

/** One request for each of the targets. */
function each(request) {
  return ({ targets, caller, administrator }) =>
    targets.map((target) => request(target, caller, administrator));
}

function send(method, path, credentials, body) {
  if (body === undefined) return { method, path, headers: credentials };
  return withJson(method, path, credentials, body);
}

function yunxiao(token) {
  return { 'x-yunxiao-token': token };
}

function panther({ value }) {
  return { 'x-api-key': value };
}
