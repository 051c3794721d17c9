import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Contract } from '../support/contract.js';
import type { Received, Sent } from '../support/http.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

/** Sends a request, and fails unless the answer has that status and is what the document promises. */
type Ask = (operationId: string, status: number, call: string, sent?: Sent) => Promise<Received>;

function asking(contract: Contract): Ask {
  return async (operationId, status, call, sent = {}) => {
    const [method = '', path = ''] = call.split(' ');
    const answer = await server.send(method, path, sent);
    expect([operationId, answer.status, answer.text]).toEqual([operationId, status, answer.text]);
    expect(contract.problemsOf(operationId, answer)).toEqual([]);
    return answer;
  };
}

describe('panther', () => {
  const ask = asking(Contract.of('panther'));

  test('answers and refuses as its document says', async () => {
    const headers = server.asAdmin;
    const body = { name: 'CI', permissions: ['BulkUpload'], allowedCIDRBlocks: ['127.0.0.0/8'] };
    const created = await ask('createApiToken', 200, 'POST /api-tokens', { headers, body });
    const { id, value } = created.json as { id: string; value: string };
    const key = { 'x-api-key': value };
    await ask('getApiToken', 200, 'GET /api-tokens/self', { headers: key });
    await ask('listApiTokens', 200, 'GET /api-tokens?limit=1', { headers });
    await ask('updateApiToken', 200, `POST /api-tokens/${id}`, { headers, body });
    await ask('rotateApiToken', 200, 'POST /api-tokens/self/rotate', { headers: key });
    await ask('listApiTokens', 400, 'GET /api-tokens?limit=0', { headers });
    await ask('createApiToken', 400, 'POST /api-tokens', { headers, body: {} });
    await ask('createApiToken', 415, 'POST /api-tokens', {
      headers: { ...headers, 'content-type': 'text/plain' },
      body: 'x',
    });
    await ask('createApiToken', 413, 'POST /api-tokens', { headers, body: { name: 'x'.repeat(1 << 20) } });
    await ask('listApiTokens', 401, 'GET /api-tokens');
    await ask('getApiToken', 404, 'GET /api-tokens/po_0', { headers });
    await ask('deleteApiToken', 204, `DELETE /api-tokens/${id}`, { headers });
    await ask('deleteApiToken', 404, `DELETE /api-tokens/${id}`, { headers });
    const { value: weak } = await server.issue({
      dialect: 'panther',
      ownerId: (await server.admin()).id,
      scopes: ['BulkUpload'],
    });
    await ask('listApiTokens', 403, 'GET /api-tokens', { headers: { 'x-api-key': weak } });
  });
});

describe('quay', () => {
  const ask = asking(Contract.of('quay'));

  test('answers and refuses as its document says', async () => {
    const headers = server.asAdmin;
    const body = { title: 'laptop' };
    const created = await ask('createAppToken', 201, 'POST /api/v1/user/apptoken', { headers, body });
    const { uuid } = created.json.token as { uuid: string };
    const one = `/api/v1/user/apptoken/${uuid}`;
    await ask('getAppToken', 200, `GET ${one}`, { headers });
    await ask('listAppTokens', 200, 'GET /api/v1/user/apptoken', { headers });
    await ask('listAllAppTokens', 200, 'GET /api/v1/superuser/apptokens?expiring=true', { headers });
    await ask('createAppToken', 400, 'POST /api/v1/user/apptoken', { headers, body: {} });
    await ask('createAppToken', 415, 'POST /api/v1/user/apptoken', { headers, body: '{}' });
    await ask('listAppTokens', 401, 'GET /api/v1/user/apptoken');
    await ask('listAllAppTokens', 403, 'GET /api/v1/superuser/apptokens', {
      headers: (await server.makeUser()).byPassword,
    });
    await ask('revokeAppToken', 204, `DELETE ${one}`, { headers });
    await ask('revokeAppToken', 404, `DELETE ${one}`, { headers });
    await ask('discovery', 200, 'GET /api/v1/discovery');
    await ask('getErrorDescription', 200, 'GET /api/v1/error/not_found');
    await ask('getErrorDescription', 404, 'GET /api/v1/error/nothing');
  });
});

describe('losant', () => {
  const ask = asking(Contract.of('losant'));

  test('answers and refuses as its document says', async () => {
    const headers = server.asAdmin;
    const orgRoles = [{ orgId: 'sandbox', role: 'view' }];
    const body = { name: 'export', description: 'x', expirationDate: '2099-01-01T00:00:00Z', orgRoles };
    const created = await ask('UserApiTokens_post', 201, 'POST /me/tokens', { headers, body });
    const { id } = created.json as { id: string };
    const one = `/me/tokens/${id}`;
    await ask('UserApiToken_get', 200, `GET ${one}`, { headers });
    await ask('UserApiTokens_get', 200, 'GET /me/tokens?_links=true&filterField=name&filter=e*', { headers });
    await ask('UserApiToken_patch', 200, `PATCH ${one}`, { headers, body: { status: 'inactive' } });
    await ask('UserApiToken_patch', 400, `PATCH ${one}`, { headers, body: { scope: ['all.User'] } });
    await ask('UserApiTokens_post', 400, 'POST /me/tokens', { headers, body: {} });
    await ask('UserApiTokens_get', 400, 'GET /me/tokens?perPage=0', { headers });
    await ask('UserApiTokens_get', 401, 'GET /me/tokens');
    const ownerId = (await server.admin()).id;
    const { value } = await server.issue({ dialect: 'losant', ownerId, scopes: ['all.User.read'] });
    const weak = { authorization: `Bearer ${value}` };
    await ask('UserApiTokens_post', 403, 'POST /me/tokens', { headers: weak, body });
    await ask('UserApiToken_delete', 200, `DELETE ${one}`, { headers });
    await ask('UserApiToken_delete', 404, `DELETE ${one}`, { headers });
  });
});

describe('yunxiao', () => {
  const ask = asking(Contract.of('yunxiao'));
  const tokens = '/oapi/v1/platform/users/admin/personalAccessTokens';

  test('answers and refuses as its document says', async () => {
    const headers = server.asAdmin;
    const userId = (await server.admin()).id;
    const permissions = ['base_user_read'];
    const body = { userId, name: 'report', permissions, expiredAt: '2099-01-01T00:00:00Z' };
    const created = await ask('CreateUserPersonalAccessToken', 200, `POST ${tokens}`, { headers, body });
    const { token, tokenId } = created.json as { token: string; tokenId: string };
    await ask('ListUserPersonalAccessTokens', 200, `GET ${tokens}?userId=${userId}`, { headers });
    await ask('GetUserByToken', 200, 'GET /oapi/v1/platform/user', { headers: { 'x-yunxiao-token': token } });
    await ask('GetUserByToken', 401, 'GET /oapi/v1/platform/user');
    await ask('CreateUserPersonalAccessToken', 400, `POST ${tokens}`, { headers, body: {} });
    await ask('CreateUserPersonalAccessToken', 403, `POST ${tokens}`, {
      headers: { 'x-yunxiao-token': token },
      body,
    });
    await ask('ListUserPersonalAccessTokens', 400, `GET ${tokens}`, { headers });
    await ask('ListUserPersonalAccessTokens', 403, `GET ${tokens}?userId=nobody`, { headers });
    await ask('DeleteUserPersonalAccessToken', 200, `DELETE ${tokens}/${tokenId}`, { headers });
    await ask('DeleteUserPersonalAccessToken', 404, `DELETE ${tokens}/${tokenId}`, { headers });
  });
});

describe('patois', () => {
  const ask = asking(Contract.of('patois'));

  test('answers and refuses over accounts as its document says', async () => {
    const headers = server.asAdmin;
    await ask('createOrganization', 201, 'POST /patois/v1/organizations', {
      headers,
      body: { name: 'Research' },
    });
    await ask('createOrganization', 409, 'POST /patois/v1/organizations', {
      headers,
      body: { name: 'research' },
    });
    await ask('createLocation', 201, 'POST /patois/v1/locations', { headers, body: { name: 'Oslo' } });
    await ask('listOrganizations', 200, 'GET /patois/v1/organizations?limit=1', { headers });
    await ask('listLocations', 200, 'GET /patois/v1/locations', { headers });
    const body = { login: 'ada', organization: 'Research', locations: ['Oslo'], permissions: ['view_users'] };
    await ask('createUser', 201, 'POST /patois/v1/users', { headers, body });
    await ask('createUser', 409, 'POST /patois/v1/users', { headers, body });
    await ask('createUser', 400, 'POST /patois/v1/users', { headers, body: {} });
    await ask('listUsers', 200, 'GET /patois/v1/users', { headers });
    await ask('getUser', 200, 'GET /patois/v1/users/ada', { headers });
    await ask('updateUser', 200, 'PATCH /patois/v1/users/ada', { headers, body: { disabled: true } });
    await ask('deleteUser', 204, 'DELETE /patois/v1/users/ada', { headers });
    await ask('getUser', 404, 'GET /patois/v1/users/ada', { headers });
    await ask('listUsers', 401, 'GET /patois/v1/users');
    const { byPassword } = await server.makeUser();
    await ask('createUser', 403, 'POST /patois/v1/users', { headers: byPassword, body });
  });

  test('answers and refuses over policies as its document says', async () => {
    const headers = server.asAdmin;
    const policy = '/patois/v1/organizations/Default/policy';
    await ask('getPolicy', 200, `GET ${policy}`, { headers });
    await ask('getPolicy', 401, `GET ${policy}`);
    await ask('getPolicy', 404, 'GET /patois/v1/organizations/nowhere/policy', { headers });
    await ask('replacePolicy', 200, `PUT ${policy}`, { headers, body: { requireCidrs: true } });
    await ask('replacePolicy', 412, `PUT ${policy}`, {
      headers: { ...headers, 'if-match': '"0"' },
      body: {},
    });
    await ask('replacePolicy', 400, `PUT ${policy}`, { headers, body: { maxTokensPerUser: 0 } });
    const body = { dialect: 'quay', owner: 'admin', name: 'x' };
    await ask('createToken', 422, 'POST /patois/v1/tokens', { headers, body });
    await ask('createTokens', 422, 'POST /patois/v1/tokens:batch', { headers, body: { tokens: [body] } });
    await ask('replacePolicy', 200, `PUT ${policy}`, { headers, body: {} });
    await ask('createToken', 201, 'POST /patois/v1/tokens', { headers, body });
    await ask('previewPolicy', 200, `POST ${policy}/preview`, { headers, body: { requireCidrs: true } });
    const { byPassword } = await server.makeUser();
    await ask('previewPolicy', 403, `POST ${policy}/preview`, { headers: byPassword, body: {} });
  });

  test('answers and refuses over tokens as its document says', async () => {
    const headers = server.asAdmin;
    const body = {
      dialect: 'patois',
      owner: 'admin',
      name: 'all',
      scopes: ['*'],
      allowedCidrs: ['127.0.0.0/8'],
    };
    const created = await ask('createToken', 201, 'POST /patois/v1/tokens', { headers, body });
    const { token, tokenId } = created.json as { token: string; tokenId: string };
    const one = `/patois/v1/tokens/${tokenId}`;
    const byToken = { authorization: `Bearer ${token}` };
    await ask('getMe', 200, 'GET /patois/v1/me', { headers: byToken });
    await ask('getMe', 200, 'GET /patois/v1/me', { headers });
    await ask('listTokens', 200, 'GET /patois/v1/tokens?limit=1', { headers });
    await ask('getToken', 200, `GET ${one}`, { headers });
    await ask('updateToken', 200, `PATCH ${one}`, { headers, body: { expiresAt: '2099-01-01T00:00:00Z' } });
    await ask('rotateToken', 200, `POST ${one}/rotate`, { headers });
    await ask('createToken', 400, 'POST /patois/v1/tokens', { headers, body: {} });
    await ask('revokeToken', 204, `DELETE ${one}?reason=leaked`, { headers });
    await ask('getToken', 200, `GET ${one}`, { headers });
    await ask('rotateToken', 409, `POST ${one}/rotate`, { headers });
    await ask('getToken', 404, 'GET /patois/v1/tokens/nothing', { headers });
  });

  test('answers and refuses over verification as its document says', async () => {
    const headers = server.asAdmin;
    const ownerId = (await server.admin()).id;
    const { value } = await server.issue({ dialect: 'quay', ownerId, scopes: ['user:admin'] });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const introspect = 'POST /oauth2/introspect';
    await ask('introspectToken', 200, introspect, {
      headers: { ...headers, ...form },
      body: `token=${value}`,
    });
    await ask('introspectToken', 200, introspect, { headers: { ...headers, ...form }, body: 'token=x' });
    await ask('introspectToken', 400, introspect, { headers: { ...headers, ...form }, body: 'x=1' });
    await ask('introspectToken', 401, introspect, { headers: form, body: 'token=x' });
    const batch = { verifications: [{ token: value }, { token: 'x', scope: 'user:admin' }] };
    await ask('verifyTokens', 200, 'POST /patois/v1/verifications', { headers, body: batch });
    await ask('verifyTokens', 400, 'POST /patois/v1/verifications', { headers, body: {} });
    await ask('verifyForGateway', 204, 'GET /verify', { headers: { authorization: `Bearer ${value}` } });
    await ask('verifyPathForGateway', 401, 'GET /verify/orders/7');
    await ask('revokeHeldToken', 200, 'POST /oauth2/revoke', { headers: form, body: `token=${value}` });
    await ask('revokeHeldToken', 400, 'POST /oauth2/revoke', { headers: form, body: 'x=1' });
    await ask('getDialectOpenApi', 404, 'GET /docs/nothing/openapi.json');
    await ask('getOpenApi', 200, 'GET /docs/openapi.json');
  });
});

describe('foreman', () => {
  const ask = asking(Contract.of('foreman'));
  const tokens = '/api/users/admin/personal_access_tokens';

  test('answers and refuses as its document says', async () => {
    const headers = server.asAdmin;
    const body = { personal_access_token: { name: 'backup', expires_at: '2099-01-01' } };
    const created = await ask('createPersonalAccessToken', 201, `POST ${tokens}`, { headers, body });
    const one = `${tokens}/${(created.json as { id: number }).id}`;
    await ask('showPersonalAccessToken', 200, `GET ${one}`, { headers });
    await ask('listPersonalAccessTokens', 200, `GET ${tokens}`, { headers });
    const all = `GET ${tokens}?search=backup&order=name&include_permissions=true&per_page=all`;
    await ask('listPersonalAccessTokens', 200, all, { headers });
    await ask('listPersonalAccessTokens', 400, `GET ${tokens}?page=0`, { headers });
    await ask('listPersonalAccessTokens', 400, `GET ${tokens}?order=created`, { headers });
    await ask('listPersonalAccessTokens', 404, `GET ${tokens}?organization_id=nowhere`, { headers });
    await ask('listPersonalAccessTokens', 422, 'GET /api/users/nobody/personal_access_tokens', { headers });
    await ask('createPersonalAccessToken', 422, `POST ${tokens}`, { headers, body });
    await ask('createPersonalAccessToken', 422, `POST ${tokens}`, { headers, body: {} });
    const json = { ...headers, 'content-type': 'application/json' };
    await ask('createPersonalAccessToken', 400, `POST ${tokens}`, { headers: json, body: '{' });
    const text = { ...headers, 'content-type': 'text/plain' };
    await ask('createPersonalAccessToken', 415, `POST ${tokens}`, { headers: text, body: 'x' });
    await ask('listPersonalAccessTokens', 401, `GET ${tokens}`);
    const { byPassword } = await server.makeUser();
    await ask('listPersonalAccessTokens', 403, `GET ${tokens}`, { headers: byPassword });
    await ask('revokePersonalAccessToken', 200, `DELETE ${one}`, { headers });
    await ask('showPersonalAccessToken', 404, `GET ${tokens}/0`, { headers });
    await ask('listUsers', 200, 'GET /api/users?order=login', { headers });
    await ask('listUsers', 400, 'GET /api/users?order=password', { headers });
    await ask('listUsers', 403, 'GET /api/users', { headers: byPassword });
    await ask('showUser', 200, 'GET /api/users/admin', { headers });
    await ask('showUser', 404, 'GET /api/users/nobody', { headers });
    await ask('showStatus', 200, 'GET /api/status', { headers });
    await ask('showStatus', 401, 'GET /api/status');
    await ask('getApipie', 200, 'GET /apidoc/v2.json');
    await ask('getApipieChecksum', 200, 'GET /apidoc/apipie_checksum');
  });
});
