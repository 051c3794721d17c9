import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

describe('GET /api-tokens', () => {
  test('an administrator by password sees an empty list', async () => {
    const answer = await server.send('GET', '/api-tokens', { headers: server.asAdmin });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ results: [] });
  });
});
