import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { basic, send } from '../support/http.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { buildOnce, PatoisProcess } from '../support/process.js';

interface Line {
  time: string;
  level: string;
  message: string;
  [field: string]: unknown;
}

let folder: string;
let started: PatoisProcess | undefined;
beforeAll(() => {
  buildOnce();
  folder = mkdtempSync(join(tmpdir(), 'patois-json-log-'));
}, 600_000);
afterEach(async () => {
  started?.kill('SIGKILL');
  await started?.ended;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(settings: Record<string, string>): PatoisProcess {
  started = new PatoisProcess({
    PORT: '0',
    BCRYPT_COST: '4',
    DATA_DIR: join(folder, 'data'),
    LOG_FORMAT: 'json',
    ...settings,
  });
  return started;
}

/** Every line of the output; fails for one that is no JSON object, or has not what each has. */
function linesOf(output: string): Line[] {
  const lines = output.split('\n').filter((line) => line !== '');
  expect(lines.length).toBeGreaterThan(0);
  return lines.map((text) => {
    const line = JSON.parse(text) as Line;
    expect(new Date(line.time).toISOString()).toBe(line.time);
    expect(['fatal', 'error', 'warn', 'info', 'debug']).toContain(line.level);
    expect(typeof line.message).toBe('string');
    return line;
  });
}

describe('LOG_FORMAT=json', () => {
  test('makes every line of a whole life an object: the first start, traces that go nowhere, and the end', async () => {
    const receiver = await OtlpReceiver.start();
    receiver.status = 400;
    const patois = start({
      LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    const [, url = ''] = await patois.printed(/Patois listens on (http:[^"]+)/);
    const [, password = ''] = await patois.printed(/"generatedPassword":"([^"]+)"/);
    const { status } = await send(url, 'GET', '/patois/v1/me', { headers: basic('admin', password) });
    expect(status).toBe(200);
    await patois.printed(/Traces cannot be sent/);
    expect(await patois.stop()).toBe(0);
    const lines = linesOf(patois.output);
    const said = lines.map(({ message }) => message);
    expect(said).toContain(`Patois listens on ${url}`);
    expect(said).toContain('SIGTERM: finishing the requests in flight');
    expect(lines.filter(({ generatedPassword }) => generatedPassword !== undefined)).toEqual([
      expect.objectContaining({ level: 'info', login: 'admin', generatedPassword: password }),
    ]);
    await receiver.close();
  });

  test('shows no password that the operator has chosen', async () => {
    const ADMIN_PASSWORD = 'chosen by the operator';
    const patois = start({ DATA_DIR: join(folder, 'other'), ADMIN_PASSWORD });
    await patois.printed(/First start/);
    expect(await patois.stop()).toBe(0);
    expect(linesOf(patois.output).some(({ message }) => message.startsWith('First start'))).toBe(true);
    expect(patois.output).not.toContain(ADMIN_PASSWORD);
  });

  test('makes a line of every setting that is wrong', async () => {
    const patois = start({ PORT: 'http', LOG_LEVEL: 'loud' });
    expect(await patois.ended).toBe(1);
    const lines = linesOf(patois.output);
    expect(lines.map(({ level }) => level)).toEqual(['fatal', 'fatal']);
    expect(lines.map(({ message }) => message.split(' ')[0])).toEqual(['PORT', 'LOG_LEVEL']);
  });

  test('makes a line of a start that fails', async () => {
    const patois = start({ HOST: '192.0.2.1' });
    expect(await patois.ended).toBe(1);
    expect(linesOf(patois.stderr).at(-1)).toMatchObject({
      level: 'fatal',
      message: expect.stringContaining('Cannot listen on 192.0.2.1'),
    });
    linesOf(patois.output);
  });
});
