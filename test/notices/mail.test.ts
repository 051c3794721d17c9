import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { NoticeDelivery } from '../../src/notices/notice-delivery.entity.js';
import { NoticeSender } from '../../src/notices/notice-sender.js';
import { Outbox } from '../../src/notices/outbox.js';
import type { Notice } from '../../src/notices/notice.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { makeCertificate } from '../support/tls.js';
import { until } from '../support/until.js';

const PASSWORD = 'a password of the mail server';

interface Mail {
  from: string;
  to: string[];
  isEncrypted: boolean;
  user: unknown;
  raw: string;
}

let smtp: SMTPServer;
let mails: Mail[];
/** What the server says to an address instead of taking it. */
const refusals = new Map<string, number>();

async function startSmtp(): Promise<number> {
  mails = [];
  const { certificate: cert, key } = await makeCertificate();
  const options: SMTPServerOptions = {
    cert,
    key,
    authOptional: false,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, callback) => {
      if (username === 'patois' && password === PASSWORD) callback(null, { user: username });
      else callback(new Error('Invalid'));
    },
    onRcptTo: ({ address }, _session, callback) => {
      const responseCode = refusals.get(address);
      callback(
        responseCode === undefined
          ? null
          : Object.assign(new Error(`${address} is not here`), { responseCode }),
      );
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          isEncrypted: session.secure,
          user: session.user,
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        callback(null);
      });
    },
  };
  smtp = new SMTPServer(options);
  smtp.on('error', () => {});
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  return (smtp.server.address() as AddressInfo).port;
}

let server: TestServer;
let owner: TestUser;
let token: Token;

beforeAll(async () => {
  const port = await startSmtp();
  // The server's certificate is its own.
  const smtpUrl = `smtp://patois:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}?tls.rejectUnauthorized=false`;
  server = await TestServer.start({
    smtpUrl,
    mailFrom: 'Patois <patois@example.com>',
    publicUrl: 'https://tokens.example.com',
  });
});
beforeEach(async () => {
  mails.length = 0;
  refusals.clear();
  await server.app.dataSource.query('DELETE FROM notice_channels');
  await server.app.dataSource.query('DELETE FROM notice_deliveries');
  owner = await server.makeUser({ email: 'ada@example.org', name: 'Ada' });
  ({ token } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, name: 'deploy' }));
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  const { logged } = server;
  await server.close();
  await new Promise<void>((resolve) => smtp.close(resolve));
  if (logged.join('\n').includes(PASSWORD)) throw new Error('The password of the mail server was logged');
});

async function tell(notices: Notice[], on = server): Promise<void> {
  const { manager } = on.app.dataSource;
  const runner = {
    run: ({ text }: { text: string }, values: readonly unknown[]) => manager.query(text, [...values]),
  };
  await on.app.nest.get(Outbox, { strict: false }).write(runner as never, notices);
  on.app.nest.get(NoticeSender, { strict: false }).runSoon();
}

function deliveries(on = server): Promise<NoticeDelivery[]> {
  return on.app.dataSource.manager.find(NoticeDelivery, { order: { sequence: 'ASC' } });
}

async function allEnded(): Promise<NoticeDelivery[]> {
  await until(async () => (await deliveries()).every(({ status }) => status !== 'waiting'));
  return deliveries();
}

/** A header of a mail, put together from its lines. */
function header(name: string, mail: Pick<Mail, 'raw'> | undefined = mails[0]): string | undefined {
  const raw = mail?.raw ?? '';
  const [head = ''] = raw.split('\r\n\r\n');
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return lines
    .find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))
    ?.slice(name.length + 2);
}

function textOf({ raw }: Mail): string {
  const [, ...parts] = raw.split('\r\n\r\n');
  const body = parts.join('\r\n\r\n');
  const encoding = header('Content-Transfer-Encoding', { raw });
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function decoded(text = ''): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([BQ])\?(.*?)\?=/gi, (_, kind: string, body: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(body, 'base64').toString('latin1')
        : body
            .replace(/_/g, ' ')
            .replace(/=([0-9A-F]{2})/g, (__, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    )
    .replace(/[\x80-\xff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString('utf8'));
}

async function makeChannel(spec: object = {}): Promise<string> {
  const body = {
    kind: 'mail',
    to: 'security@example.com',
    events: ['policy.changed', 'token.leaked'],
    ...spec,
  };
  const { status, json } = await server.send('POST', '/patois/v1/notice-channels', {
    headers: server.asAdmin,
    body,
  });
  expect([status, json.secret, json.url]).toEqual([201, null, null]);
  return json.id;
}

describe('the owner of a token', () => {
  test('is told of it by mail, over an encrypted connection, in plain words', async () => {
    await tell([{ event: 'token.leaked', token }]);
    expect(await allEnded()).toMatchObject([{ status: 'delivered', attempts: 1, channelId: null }]);
    const [mail] = mails;
    expect(mail).toMatchObject({
      from: 'patois@example.com',
      to: ['ada@example.org'],
      isEncrypted: true,
      user: 'patois',
    });
    expect(header('Subject')).toBe('The token deploy was reported as leaked');
    expect(header('From')).toBe('Patois <patois@example.com>');
    expect(header('To')).toBe('ada@example.org');
    expect(header('Auto-Submitted')).toBe('auto-generated');
    expect(header('Content-Type')).toMatch(/^text\/plain; charset=utf-8/);
    const text = mail && textOf(mail);
    expect(text).toContain(`deploy (${token.tokenId}, patois, of ${owner.user.login})`);
    expect(text).toContain('https://tokens.example.com');
  });

  test('of many tokens is told in one mail', async () => {
    const others = await Promise.all(
      Array.from({ length: 60 }, () => server.issue({ dialect: 'quay', ownerId: owner.user.id })),
    );
    await tell(others.map((other): Notice => ({ event: 'token.leaked', token: other.token })));
    await allEnded();
    expect(mails).toHaveLength(1);
    expect(header('Subject')).toBe('60 tokens were reported as leaked');
    expect(mails[0] && textOf(mails[0])).toContain('and 10 more');
  });

  test('has a name of the token in any script, and none that makes a header or a line', async () => {
    const name = 'Schlüssel 鍵 🔑\r\nBcc: eve@example.net\r\n\r\nClick here\u2028\u202e';
    await tell([{ event: 'token.leaked', token: Object.assign(token, { name }) }]);
    await allEnded();
    const [mail] = mails;
    expect(mail?.to).toEqual(['ada@example.org']);
    const [head = ''] = (mail?.raw ?? '').split('\r\n\r\n');
    expect(head).not.toMatch(/^bcc:/im);
    expect(decoded(header('Subject'))).toBe(
      'The token Schlüssel 鍵 🔑 Bcc: eve@example.net Click here was reported as leaked',
    );
    expect(mail && textOf(mail)).toContain('- Schlüssel 鍵 🔑 Bcc: eve@example.net Click here (pt-');
  });

  test.each<[string, (user: TestUser) => Promise<unknown>]>([
    ['without an address', ({ user }) => change(user.id, { email: null })],
    ['who is disabled', ({ user }) => change(user.id, { disabled: true })],
  ])('%s is not told', async (_, alter) => {
    await alter(owner);
    await tell([{ event: 'token.leaked', token }]);
    expect(await deliveries()).toEqual([]);
  });

  function change(id: string, body: object): Promise<unknown> {
    return server.send('PATCH', `/patois/v1/users/${id}`, { headers: server.asAdmin, body });
  }

  test('who moves to another address meanwhile is told there, and who has none any more not at all', async () => {
    refusals.set('ada@example.org', 450);
    await tell([{ event: 'token.leaked', token }]);
    await until(async () => (await deliveries())[0]?.attempts === 1);
    expect((await deliveries())[0]).toMatchObject({
      status: 'waiting',
      error: 'The mail server did not take it (EENVELOPE 450)',
    });
    await change(owner.user.id, { email: 'ada@example.net' });
    await again();
    await allEnded();
    expect(mails.map(({ to }) => to)).toEqual([['ada@example.net']]);
    refusals.set('ada@example.net', 450);
    await tell([{ event: 'token.leaked', token }]);
    await until(async () => (await deliveries())[1]?.attempts === 1);
    await change(owner.user.id, { email: null });
    await again();
    expect((await allEnded())[1]).toMatchObject({ status: 'failed', error: 'The owner has no address' });
  });

  test('whose address is refused for good keeps nobody else waiting, and is not tried again', async () => {
    const other = await server.makeUser({ email: 'bob@example.org' });
    const { token: others } = await server.issue({ dialect: 'patois', ownerId: other.user.id });
    refusals.set('ada@example.org', 550);
    await tell([
      { event: 'token.leaked', token },
      { event: 'token.leaked', token: others },
    ]);
    expect(await allEnded()).toMatchObject([
      { status: 'failed', attempts: 1, error: 'The mail server did not take it (EENVELOPE 550)' },
      { status: 'delivered' },
    ]);
  });

  test('is not told where the setting says so', async () => {
    const silent = await TestServer.start({
      smtpUrl: 'smtp://127.0.0.1:1',
      mailFrom: 'patois@example.com',
      mailsOwners: false,
    });
    const user = await silent.makeUser({ email: 'ada@example.org' });
    const issued = await silent.issue({ dialect: 'patois', ownerId: user.user.id });
    await tell([{ event: 'token.leaked', token: issued.token }], silent);
    expect(await deliveries(silent)).toEqual([]);
    await silent.close();
  });
});

async function again(): Promise<void> {
  await server.app.dataSource.query(`UPDATE notice_deliveries SET due_at = now() WHERE status = 'waiting'`);
  server.app.nest.get(NoticeSender, { strict: false }).runSoon();
}

describe('a channel of mail', () => {
  test('is told beside the owner, in order, of what belongs together in one mail', async () => {
    await makeChannel();
    await server.send('PUT', '/patois/v1/organizations/Default/policy', {
      headers: server.asAdmin,
      body: { maxTokensPerUser: 1 + Math.floor(Math.random() * 100_000) },
    });
    await tell([
      { event: 'token.leaked', token },
      { event: 'token.leaked', token },
    ]);
    await allEnded();
    const toChannel = mails
      .filter(({ to }) => to[0] === 'security@example.com')
      .map((mail) => header('Subject', mail));
    expect(toChannel[0]).toBe('The policy of Default was changed');
    expect(toChannel.slice(1).length).toBeGreaterThan(0);
    expect(mails.some(({ to }) => to[0] === 'ada@example.org')).toBe(true);
  });

  test('can be tried', async () => {
    const id = await makeChannel();
    await server.send('POST', `/patois/v1/notice-channels/${id}/test`, { headers: server.asAdmin });
    await allEnded();
    expect([header('Subject'), mails[0]?.to]).toEqual(['Patois: a test', ['security@example.com']]);
  });

  test('has no secret, and one address', async () => {
    const id = await makeChannel();
    const rotate = await server.send('POST', `/patois/v1/notice-channels/${id}/secret`, {
      headers: server.asAdmin,
      body: {},
    });
    expectProblem(rotate, 409);
    for (const to of [
      'a@example.com, b@example.com',
      'a@example.com\r\nBcc: b@example.com',
      'Ada <a@example.com>',
      '',
    ]) {
      const body = { kind: 'mail', to, events: ['policy.changed'] };
      const answer = await server.send('POST', '/patois/v1/notice-channels', {
        headers: server.asAdmin,
        body,
      });
      expectProblem(answer, 400, '/to');
    }
  });
});

test('a mail server that does not let us in is asked again, and neither its words nor the password are kept', async () => {
  const other = await TestServer.start({
    smtpUrl: `smtp://patois:wrong-password@127.0.0.1:${(smtp.server.address() as AddressInfo).port}?tls.rejectUnauthorized=false`,
    mailFrom: 'patois@example.com',
  });
  const user = await other.makeUser({ email: 'ada@example.org' });
  const issued = await other.issue({ dialect: 'patois', ownerId: user.user.id });
  await tell([{ event: 'token.leaked', token: issued.token }], other);
  await until(async () => (await deliveries(other))[0]?.attempts === 1);
  expect((await deliveries(other))[0]).toMatchObject({
    status: 'waiting',
    error: 'The mail server did not take it (EAUTH 535)',
  });
  expect(other.logged.join('\n')).not.toContain('wrong-password');
  await other.close();
});
