import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { setPolicy } from '../support/policy.js';
import { TestServer, type TestUser } from '../support/server.js';

const PROGRAM = 'node_modules/alibabacloud-devops-mcp-server/dist/index.js';
/** What it makes an error of an answer with: `yunxiaoRequest` in its common/utils.js calls it. */
const ERRORS = '../../node_modules/alibabacloud-devops-mcp-server/dist/common/errors.js';
const TOKENS = '/oapi/v1/platform/users/admin/personalAccessTokens';

let server: TestServer;
let administrator: TestUser;
let user: TestUser;
let client: Client;
let tokenId: string;

beforeAll(async () => {
  server = await TestServer.start();
  administrator = await server.makeUser({ role: 'organizationAdministrator' });
  user = await server.makeUser({ name: '埃达', email: 'ada@example.com' });
  const { json } = await server.send('POST', TOKENS, {
    headers: administrator.byPassword,
    body: {
      userId: user.user.id,
      name: 'mcp',
      permissions: ['base_user_read', 'base_organization_read'],
      expiredAt: '2091-01-31T12:00:00Z',
    },
  });
  tokenId = json.tokenId;
  client = new Client({ name: 'patois-test', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [PROGRAM],
      env: { YUNXIAO_API_BASE_URL: server.url, YUNXIAO_ACCESS_TOKEN: json.token },
      stderr: 'ignore',
    }),
  );
}, 60_000);

afterAll(async () => {
  await client.close();
  await server.close();
});

/** What a tool gives back as text, and whether it calls it an error. */
async function call(name: string): Promise<{ isError: boolean; text: string }> {
  try {
    const { content, isError } = await client.callTool({ name, arguments: {} });
    const [part] = content as { text: string }[];
    return { isError: isError === true, text: part?.text ?? '' };
  } catch (error) {
    // This server reports a refused call as an error of the protocol.
    return { isError: true, text: (error as Error).message };
  }
}

describe("the vendor's alibabacloud-devops-mcp-server 0.3.64", () => {
  test('knows the user of a token that an enterprise administrator made', async () => {
    const { isError, text } = await call('get_current_user');
    expect(isError).toBe(false);
    expect(JSON.parse(text)).toEqual({
      id: user.user.id,
      username: user.user.login,
      name: '埃达',
      email: 'ada@example.com',
      createdAt: user.user.createdAt.toISOString(),
      lastOrganization: user.user.organizationId,
      sysDeptIds: [],
    });
  });

  test('knows the organization', async () => {
    const { text } = await call('get_current_organization_info');
    expect(JSON.parse(text)).toEqual({
      lastOrganization: user.user.organizationId,
      userId: user.user.id,
      userName: '埃达',
    });
  });

  test('knows the organizations of the user: the own one', async () => {
    const { isError, text } = await call('get_user_organizations');
    expect(isError).toBe(false);
    expect(JSON.parse(text)).toEqual([{ id: user.user.organizationId, name: 'Default' }]);
  });

  test('makes an error with the reason of what the policy of the organization does not allow', async () => {
    // None of its tools makes a token: what it would make of the answer, as of every other.
    const { createYunxiaoError } = (await import(ERRORS)) as {
      createYunxiaoError: (status: number, response: unknown) => Error;
    };
    await setPolicy(server, { maxLifetimeSeconds: 86_400 });
    const body = {
      userId: user.user.id,
      name: 'x',
      permissions: ['base_user_read'],
      expiredAt: '2091-01-31T12:00:00Z',
    };
    const { status, json } = await server.send('POST', TOKENS, { headers: administrator.byPassword, body });
    await setPolicy(server, {});
    expect(createYunxiaoError(status, json).message).toBe(
      "The organization's policy allows a token to live for at most 1 day (maxLifetimeSeconds)",
    );
  });

  test('reports a 401 once the token is deleted there', async () => {
    const headers = administrator.byPassword;
    expect((await server.send('DELETE', `${TOKENS}/${tokenId}`, { headers })).status).toBe(200);
    for (const tool of ['get_current_user', 'get_current_organization_info', 'get_user_organizations']) {
      const { isError, text } = await call(tool);
      expect(isError).toBe(true);
      expect(text).toContain('401');
    }
  });
});
