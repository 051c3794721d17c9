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
