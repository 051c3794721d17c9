import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { Browser, CHROMIUM } from '../../support/browser.js';
import { basic } from '../../support/http.js';
import { pasteInto } from '../../support/paste.js';
import { describeWith, temporaryFolder } from '../../support/programs.js';
import { TestServer, type TestUser } from '../../support/server.js';

const PATH = process.env['PATH'] ?? '';

describeWith([CHROMIUM], 'the lines that are shown with a secret', () => {
  let browser: Browser;
  let server: TestServer;
  let person: TestUser;
  /** Holds programs that stand first in the path. */
  const folder = temporaryFolder('client-lines');
  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
    person = await server.makeUser({ login: 'ada.b+c@example.com' });
    // What docker and podman are given: their own programs would ask a registry that is not there.
    for (const program of ['docker', 'podman']) {
      addProgram(program, `echo "$(basename "$0") $* <$(cat)>"`);
    }
    addProgram('patois', `exec ${process.execPath} ${resolve('dist/server/cli.js')} "$@"`);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    folder.remove();
  });

  function addProgram(name: string, line: string): void {
    const path = join(folder.path, name);
    writeFileSync(path, `#!/bin/sh\n${line}\n`);
    chmodSync(path, 0o755);
  }

  /** Makes a token that may do all of its dialect, and copies each of its lines, by their titles. */
  async function linesOf(dialect: string): Promise<{ secret: string; lines: Map<string, string> }> {
    const visitor = await browser.visitor(server.url);
    await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const { page } = visitor;
    await visitor.signIn(person.user.login, person.password, `/console/tokens/new?dialect=${dialect}`);
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('robot');
    await page.getByRole('button', { name: 'Everything', exact: true }).click();
    await page.getByRole('button', { name: 'Make the token' }).click();
    const secret = await page.getByRole('textbox', { name: 'Secret of robot' }).inputValue();
    server.secrets.add(secret);
    expect(await copied(page, 'Secret of robot')).toBe(secret);
    const lines = new Map<string, string>();
    for (const heading of await page.getByRole('heading', { level: 3 }).allInnerTexts()) {
      lines.set(heading, await copied(page, heading));
    }
    await visitor.leave();
    return { secret, lines };
  }

  async function copied(page: Page, label: string): Promise<string> {
    await page.getByRole('button', { name: `Copy: ${label}` }).click();
    return (await page.evaluate('navigator.clipboard.readText()')) as string;
  }

  /** Pastes some of the lines into a shell, after the variable. */
  function paste(lines: Map<string, string>, ...titles: string[]): Promise<string> {
    const all = ['Keep it in an environment variable', ...titles].map((title) => {
      const text = lines.get(title);
      if (text === undefined) throw new Error(`There is no ${title} among ${[...lines.keys()].join(', ')}`);
      return text;
    });
    return pasteInto(folder.path, all.join('\n'), { PATH: `${folder.path}:${PATH}` });
  }

  const VERIFY = 'Check that it works: 204 means yes';
  const CURL = 'Call the API with curl';

  test('foreman: curl and the configuration of hammer', async () => {
    const { secret, lines } = await linesOf('foreman');
    expect(await paste(lines, VERIFY)).toMatch(/^HTTP\/1.1 204 /);
    expect(await paste(lines, CURL)).toContain('"result":"ok"');
    const hammer = lines.get('hammer, in ~/.hammer/cli.modules.d/foreman.yml') ?? '';
    const settings = new Map(
      [...hammer.matchAll(/^ {2}:(\w+): '?(.*?)'?$/gm)].map(([, key = '', value = '']) => [key, value]),
    );
    expect(Object.fromEntries(settings)).toEqual({
      enable_module: 'true',
      host: server.url,
      use_sessions: 'false',
      username: person.user.login,
      password: secret,
    });
    const headers = basic(settings.get('username') ?? '', settings.get('password') ?? '');
    expect((await server.send('GET', '/api/v2/status', { headers })).status).toBe(200);
  });

  test('quay: curl, and what docker and podman send to the registry opens it', async () => {
    const { secret, lines } = await linesOf('quay');
    expect(await paste(lines, VERIFY)).toMatch(/^HTTP\/1.1 204 /);
    expect(await paste(lines, CURL)).toContain('"tokens"');
    for (const program of ['docker', 'podman']) {
      expect(await paste(lines, `${program}: log in to a registry`)).toBe(
        `${program} login registry.example.com -u $app --password-stdin <${secret}>\n`,
      );
    }
    const headers = basic('$app', secret);
    const path = '/v2/token?service=registry.example.com&account=$app&offline_token=true';
    expect((await server.send('GET', path, { headers })).status).toBe(200);
  });

  test('panther: curl', async () => {
    const { lines } = await linesOf('panther');
    expect(await paste(lines, VERIFY)).toMatch(/^HTTP\/1.1 204 /);
    expect(await paste(lines, CURL)).toContain('"permissions"');
  });

  test('losant: curl, and a program for losant-rest', async () => {
    const { secret, lines } = await linesOf('losant');
    expect(await paste(lines, VERIFY)).toMatch(/^HTTP\/1.1 204 /);
    expect(await paste(lines, CURL)).toContain('"totalCount":1');
    const program = lines.get('JavaScript, with losant-rest') ?? '';
    const env = { PATH, LOSANT_ACCESS_TOKEN: secret };
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', program], { env });
    expect(stdout).toContain("name: 'robot'");
  });

  test('yunxiao: curl, and the configuration of the MCP server', async () => {
    const { lines } = await linesOf('yunxiao');
    expect(await paste(lines, VERIFY)).toMatch(/^HTTP\/1.1 204 /);
    expect(await paste(lines, CURL)).toContain(person.user.id);
    const { mcpServers } = JSON.parse(lines.get('Configuration of the MCP server') ?? '') as {
      mcpServers: { yunxiao: { command: string; args: string[]; env: Record<string, string> } };
    };
    const { command, args, env } = mcpServers.yunxiao;
    // npx runs what is installed here.
    const client = new Client({ name: 'patois-test', version: '1' });
    const whole = { ...env, PATH, npm_config_offline: 'true' };
    await client.connect(new StdioClientTransport({ command, args, env: whole, stderr: 'ignore' }));
    const { content } = await client.callTool({ name: 'get_current_user', arguments: {} });
    await client.close();
    expect(JSON.stringify(content)).toContain(person.user.id);
  });

  test('patois: curl and the command line', async () => {
    const { lines } = await linesOf('patois');
    expect(await paste(lines, VERIFY)).toMatch(/^HTTP\/1.1 204 /);
    expect(await paste(lines, CURL)).toContain(`"login":"${person.user.login}"`);
    expect(await paste(lines, 'The command line of Patois')).toContain(person.user.login);
  });
});
