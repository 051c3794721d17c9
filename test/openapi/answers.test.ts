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
