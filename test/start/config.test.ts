import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type Config,
  ConfigurationError,
  databaseUrlOf,
  loadConfig,
  readConfig,
  SETTINGS,
} from '../../src/config.js';

const KEY = randomBytes(32).toString('base64');

function problemsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
}

describe('defaults', () => {
  test('an empty environment is a whole configuration', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      publicUrl: undefined,
      databaseUrl: undefined,
      databaseListenUrl: undefined,
      databaseReadUrl: undefined,
      dataDir: './data',
      tokenKeys: undefined,
      adminPassword: undefined,
      bcryptCost: 12,
      trustedProxies: [],
      quayFidelity: 'documented',
      quayTokenLifetimeSeconds: undefined,
      verificationMaxStalenessSeconds: 2,
      workers: 1,
      exchangeTokenLifetimeSeconds: 300,
      registryServices: undefined,
      githubSecretScanningKeys: undefined,
      oidcProviders: undefined,
      scimRoleGroups: new Map(),
      auditRetentionSeconds: undefined,
      smtpUrl: undefined,
      mailFrom: undefined,
      mailsOwners: true,
      webhookAllowsHttp: false,
      webhookPrivateNetworks: [],
      requestTimeoutSeconds: 30,
      drainDelaySeconds: 0,
      shutdownTimeoutSeconds: 8,
      logLevel: 'info',
      logFormat: 'text',
      tracesEndpoint: undefined,
      tracedVerifications: 'none',
    } satisfies Config);
  });

  test('an empty or blank variable counts as unset', () => {
    const blank = Object.fromEntries(Object.values(SETTINGS).map(({ variable }) => [variable, ' \t']));
    expect(readConfig(blank)).toEqual(readConfig({}));
  });

  test('nothing secret has a default', () => {
    expect(SETTINGS.adminPassword.fallback).toBeUndefined();
    expect(SETTINGS.tokenKeys.fallback).toBeUndefined();
    expect(SETTINGS.databaseUrl.fallback).toBeUndefined();
  });
});

describe('every setting', () => {
  const good: [variable: string, text: string, key: keyof Config, value: unknown][] = [
    ['HOST', '0.0.0.0', 'host', '0.0.0.0'],
    ['HOST', '::', 'host', '::'],
    ['HOST', 'patois-1.internal_net.example.', 'host', 'patois-1.internal_net.example.'],
    ['PORT', '0', 'port', 0],
    ['PORT', '65535', 'port', 65_535],
    ['PUBLIC_URL', 'https://tokens.example.com/', 'publicUrl', 'https://tokens.example.com'],
    ['PUBLIC_URL', 'http://example.com/base//', 'publicUrl', 'http://example.com/base'],
    ['DATA_DIR', '/var/lib/patois', 'dataDir', '/var/lib/patois'],
    ['ADMIN_PASSWORD', '12345678', 'adminPassword', '12345678'],
    ['ADMIN_PASSWORD', 'é'.repeat(36), 'adminPassword', 'é'.repeat(36)],
    ['BCRYPT_COST', '4', 'bcryptCost', 4],
    ['BCRYPT_COST', '16', 'bcryptCost', 16],
    ['TRUSTED_PROXIES', '10.0.0.0/8, 2001:db8::/32', 'trustedProxies', ['10.0.0.0/8', '2001:db8::/32']],
    ['TRUSTED_PROXIES', '192.0.2.1,::1', 'trustedProxies', ['192.0.2.1/32', '::1/128']],
    ['MAIL_FROM', 'patois@example.com', 'mailFrom', 'patois@example.com'],
    ['MAIL_FROM', 'Patois <patois@example.com>', 'mailFrom', 'Patois <patois@example.com>'],
    ['NOTICE_OWNER_MAIL', 'false', 'mailsOwners', false],
    ['WEBHOOK_ALLOW_HTTP', 'true', 'webhookAllowsHttp', true],
    ['WEBHOOK_PRIVATE_NETWORKS', '10.0.0.0/8,::1', 'webhookPrivateNetworks', ['10.0.0.0/8', '::1/128']],
    ['QUAY_FIDELITY', 'deployed', 'quayFidelity', 'deployed'],
    [
      'REGISTRY_SERVICES',
      'registry.example, Other registry',
      'registryServices',
      ['registry.example', 'Other registry'],
    ],
    ['GITHUB_SECRET_SCANNING_KEYS', '/etc/keys.json', 'githubSecretScanningKeys', '/etc/keys.json'],
    [
      'GITHUB_SECRET_SCANNING_KEYS',
      'https://api.github.com/meta/public_keys/secret_scanning',
      'githubSecretScanningKeys',
      'https://api.github.com/meta/public_keys/secret_scanning',
    ],
    ['QUAY_TOKEN_LIFETIME', '90s', 'quayTokenLifetimeSeconds', 90],
    ['QUAY_TOKEN_LIFETIME', '5m', 'quayTokenLifetimeSeconds', 300],
    ['QUAY_TOKEN_LIFETIME', '2h', 'quayTokenLifetimeSeconds', 7200],
    ['QUAY_TOKEN_LIFETIME', '1d', 'quayTokenLifetimeSeconds', 86_400],
    ['QUAY_TOKEN_LIFETIME', '4w', 'quayTokenLifetimeSeconds', 2_419_200],
    ['QUAY_TOKEN_LIFETIME', '1y', 'quayTokenLifetimeSeconds', 31_536_000],
    ['QUAY_TOKEN_LIFETIME', '1000y', 'quayTokenLifetimeSeconds', 31_536_000_000],
    ['AUDIT_RETENTION', '400d', 'auditRetentionSeconds', 34_560_000],
    ['EXCHANGE_TOKEN_LIFETIME', '60', 'exchangeTokenLifetimeSeconds', 60],
    ['VERIFICATION_MAX_STALENESS', '0', 'verificationMaxStalenessSeconds', 0],
    ['VERIFICATION_MAX_STALENESS', '60', 'verificationMaxStalenessSeconds', 60],
    ['WORKERS', '1', 'workers', 1],
    ['REQUEST_TIMEOUT', '1', 'requestTimeoutSeconds', 1],
    ['REQUEST_TIMEOUT', '600', 'requestTimeoutSeconds', 600],
    ['SHUTDOWN_TIMEOUT', '1', 'shutdownTimeoutSeconds', 1],
    ['SHUTDOWN_TIMEOUT', '600', 'shutdownTimeoutSeconds', 600],
    ['DRAIN_DELAY', '7', 'drainDelaySeconds', 7],
    ['LOG_LEVEL', 'debug', 'logLevel', 'debug'],
    ['LOG_LEVEL', 'fatal', 'logLevel', 'fatal'],
    ['LOG_FORMAT', 'json', 'logFormat', 'json'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:4318/', 'tracesEndpoint', 'http://collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://example.com/otlp', 'tracesEndpoint', 'https://example.com/otlp'],
    ['TRACE_VERIFICATIONS', 'sampled', 'tracedVerifications', 'sampled'],
    ['TRACE_VERIFICATIONS', 'all', 'tracedVerifications', 'all'],
  ];
  test.each(good)('%s takes %j', (variable, text, key, value) => {
    expect(readConfig({ [variable]: text })[key]).toEqual(value);
  });

  const bad: [variable: string, text: string][] = [
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '1e3'],
    ['PORT', '0x50'],
    ['PORT', 'http'],
    ['PUBLIC_URL', 'example.com'],
    ['PUBLIC_URL', 'ftp://example.com'],
    ['PUBLIC_URL', 'https://user:pass@example.com'],
    ['PUBLIC_URL', 'https://example.com/?a=b'],
    ['PUBLIC_URL', 'https://example.com/#top'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['DATABASE_URL', 'localhost:5432'],
    ['DATABASE_URL', 'postgres://one:5432,two:x/patois'],
    ['DATABASE_URL', 'postgres://one:5432,/patois'],
    ['DATABASE_URL', 'postgres://one,two/patois?target_session_attrs=any'],
    ['SCIM_ROLE_GROUPS', 'Admins'],
    ['SCIM_ROLE_GROUPS', 'Admins=administrator'],
    ['SCIM_ROLE_GROUPS', 'Admins=member,admins=organizationAdministrator'],
    ['DATABASE_LISTEN_URL', 'http://db/patois'],
    ['DATABASE_LISTEN_URL', 'postgres://one:99999,two/patois'],
    ['DATABASE_READ_URL', 'http://db/patois'],
    ['DATABASE_READ_URL', 'postgres://one,two/patois?target_session_attrs=read-write'],
    ['TOKEN_KEYS', KEY],
    ['TOKEN_KEYS', 'k1:'],
    ['TOKEN_KEYS', 'k1:c2hvcnQ='],
    ['TOKEN_KEYS', `:${KEY}`],
    ['TOKEN_KEYS', `k 1:${KEY}`],
    ['TOKEN_KEYS', `k1:${KEY},`],
    ['TOKEN_KEYS', `k1:${KEY},k1:${KEY}`],
    ['ADMIN_PASSWORD', '1234567'],
    ['ADMIN_PASSWORD', 'x'.repeat(73)],
    ['ADMIN_PASSWORD', 'é'.repeat(37)],
    ['BCRYPT_COST', '3'],
    ['BCRYPT_COST', '17'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '2001:db8::/129'],
    ['TRUSTED_PROXIES', 'proxy.example.com'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,'],
    ['TRUSTED_PROXIES', '10.0.0.1/8'],
    ['TRUSTED_PROXIES', '::ffff:10.0.0.0/104'],
    ['SMTP_URL', 'mail.example.com:587'],
    ['SMTP_URL', 'https://mail.example.com'],
    ['MAIL_FROM', 'Patois'],
    ['MAIL_FROM', 'a@example.com, b@example.com'],
    ['MAIL_FROM', 'Patois <patois@example.com>\nBcc: eve@example.net'],
    ['MAIL_FROM', 'Pat\nois <patois@example.com>'],
    ['NOTICE_OWNER_MAIL', 'yes'],
    ['WEBHOOK_ALLOW_HTTP', '1'],
    ['WEBHOOK_PRIVATE_NETWORKS', 'localhost'],
    ['WEBHOOK_PRIVATE_NETWORKS', '10.0.0.1/8'],
    ['LOG_FORMAT', 'JSON'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://user:pass@example.com'],
    ['TRACE_VERIFICATIONS', 'true'],
    ['QUAY_FIDELITY', 'Documented'],
    ['REGISTRY_SERVICES', 'registry.example,'],
    ['GITHUB_SECRET_SCANNING_KEYS', 'keys.json'],
    ['GITHUB_SECRET_SCANNING_KEYS', 'http://api.github.com/keys'],
    ['GITHUB_SECRET_SCANNING_KEYS', 'https://user:pass@api.github.com/keys'],
    ['OIDC_PROVIDERS', 'providers.json'],
    ['QUAY_TOKEN_LIFETIME', '10'],
    ['QUAY_TOKEN_LIFETIME', '0d'],
    ['QUAY_TOKEN_LIFETIME', '-1d'],
    ['QUAY_TOKEN_LIFETIME', '1.5d'],
    ['QUAY_TOKEN_LIFETIME', '1001y'],
    ['AUDIT_RETENTION', '0d'],
    ['AUDIT_RETENTION', 'for ever'],
    ['EXCHANGE_TOKEN_LIFETIME', '301'],
    ['EXCHANGE_TOKEN_LIFETIME', '0'],
    ['VERIFICATION_MAX_STALENESS', '61'],
    ['VERIFICATION_MAX_STALENESS', '0.5'],
    ['REQUEST_TIMEOUT', '0'],
    ['REQUEST_TIMEOUT', '601'],
    ['SHUTDOWN_TIMEOUT', '0'],
    ['SHUTDOWN_TIMEOUT', '601'],
    ['DRAIN_DELAY', '-1'],
    ['DRAIN_DELAY', '0.5'],
    ['DRAIN_DELAY', '301'],
    // All of SHUTDOWN_TIMEOUT: nothing would be left for the rest.
    ['DRAIN_DELAY', '8'],
    ['WORKERS', '0'],
    ['WORKERS', '65'],
    ['WORKERS', 'many'],
    // The embedded database serves one process.
    ['WORKERS', '2'],
    ['LOG_LEVEL', 'verbose'],
    ['LOG_LEVEL', 'INFO'],
  ];
  test.each([
    [
      'DATABASE_URL',
      'postgres://patois:hunter2@one:5432,[::1]:5433,three/patois?target_session_attrs=read-write',
    ],
    ['DATABASE_LISTEN_URL', 'postgresql://db:5432/patois'],
    ['DATABASE_READ_URL', 'postgres://one,two/patois?target_session_attrs=prefer-standby'],
    ['DATABASE_READ_URL', 'postgres://standby/patois?target_session_attrs=read-only'],
  ])('%s takes %s, on a server', (variable, text) => {
    const onServer = { DATABASE_URL: 'postgres://127.0.0.1/patois', TOKEN_KEYS: `k1:${KEY}` };
    expect(problemsOf({ ...onServer, [variable]: text })).toEqual([]);
  });

  test.each(['DATABASE_LISTEN_URL', 'DATABASE_READ_URL'])('%s needs DATABASE_URL', (variable) => {
    expect(problemsOf({ [variable]: 'postgres://db/patois' })).toEqual([
      expect.stringContaining(`${variable} needs DATABASE_URL`),
    ]);
  });

  test('WORKERS takes 64 on a server, and refuses 65', () => {
    const onServer = { DATABASE_URL: 'postgres://127.0.0.1/patois', TOKEN_KEYS: `k1:${KEY}` };
    expect(readConfig({ ...onServer, WORKERS: '64' }).workers).toBe(64);
    expect(problemsOf({ ...onServer, WORKERS: '65' })).toEqual([expect.stringContaining('WORKERS')]);
  });

  test('SMTP_URL takes two schemes, needs MAIL_FROM, and is not repeated where it is wrong', () => {
    for (const smtpUrl of ['smtp://mail.example.com', 'smtps://ada:hunter2@mail.example.com:465']) {
      expect(readConfig({ SMTP_URL: smtpUrl, MAIL_FROM: 'patois@example.com' })).toMatchObject({ smtpUrl });
      expect(problemsOf({ SMTP_URL: smtpUrl })).toEqual([expect.stringMatching(/^MAIL_FROM is required/)]);
    }
    expect(problemsOf({ SMTP_URL: 'http://ada:hunter2@mail.example.com' }).join()).not.toContain('hunter2');
  });

  test('OIDC_PROVIDERS takes the path of a file, and needs PUBLIC_URL', () => {
    const file = { OIDC_PROVIDERS: '/etc/patois/providers.json' };
    const publicUrl = 'https://tokens.example.com';
    expect(readConfig({ ...file, PUBLIC_URL: publicUrl })).toMatchObject({
      oidcProviders: '/etc/patois/providers.json',
    });
    expect(problemsOf(file)).toEqual([expect.stringMatching(/^PUBLIC_URL is required with OIDC_PROVIDERS/)]);
  });

  test.each(bad)('%s refuses %j by its name', (variable, text) => {
    const onServer = { TOKEN_KEYS: `k1:${KEY}`, DATABASE_URL: 'postgres://db/patois' };
    const problems = problemsOf({ ...(variable.startsWith('DATABASE_') ? onServer : {}), [variable]: text });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${variable} .`));
    expect(problems[0]).not.toContain('\n');
  });

  test('has a case of both kinds here, but for those that take any text', () => {
    const tried = new Set([...good, ...bad].map(([variable]) => variable));
    expect(Object.values(SETTINGS).filter(({ variable }) => !tried.has(variable))).toEqual([]);
    const refused = new Set(bad.map(([variable]) => variable));
    const free = Object.values(SETTINGS).filter(({ variable }) => !refused.has(variable));
    expect(free.map(({ variable }) => variable)).toEqual(['HOST', 'DATA_DIR']);
  });
});

describe('keys of tokens', () => {
  test('a ring keeps its order, names and bytes', () => {
    const other = randomBytes(32);
    const { tokenKeys } = readConfig({
      TOKEN_KEYS: `2026-11:${KEY}, old.key_1:${other.toString('base64url')}`,
    });
    expect(tokenKeys).toEqual([
      { name: '2026-11', secret: Buffer.from(KEY, 'base64') },
      { name: 'old.key_1', secret: other },
    ]);
  });

  test('are required with DATABASE_URL', () => {
    const url = 'postgres://patois:hunter2@db:5432/patois';
    expect(problemsOf({ DATABASE_URL: url })).toEqual([
      'TOKEN_KEYS is required with DATABASE_URL: name:base64 of 32 bytes (openssl rand -base64 32)',
    ]);
    expect(problemsOf({ DATABASE_URL: url, TOKEN_KEYS: ' ' })).toHaveLength(1);
    expect(readConfig({ DATABASE_URL: url, TOKEN_KEYS: `k1:${KEY}` }).databaseUrl).toBe(url);
  });
});

describe('problems', () => {
  test('all are told at once, one a line', () => {
    const environment = { PORT: 'x', BCRYPT_COST: 'x', LOG_LEVEL: 'x', DATABASE_URL: 'postgres://db/x' };
    const problems = problemsOf(environment);
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'BCRYPT_COST',
      'LOG_LEVEL',
      'TOKEN_KEYS',
    ]);
    expect(() => readConfig(environment)).toThrow(problems.join('\n'));
  });

  test('no message repeats a secret', () => {
    const secret = 'Hunter2';
    const environments: Record<string, string>[] = [
      { ADMIN_PASSWORD: secret },
      { DATABASE_URL: `mysql://root:${secret}@db/x` },
      { TOKEN_KEYS: secret },
      { TOKEN_KEYS: `k1:${secret}` },
      { TOKEN_KEYS: `k1:${KEY},${secret}` },
      { PUBLIC_URL: `https://user:${secret}@example.com` },
    ];
    for (const environment of environments) {
      const problems = problemsOf(environment);
      expect(problems).not.toEqual([]);
      expect(problems.join('\n')).not.toContain(secret);
      expect(problems.join('\n')).not.toContain(KEY);
    }
  });
});

describe('HOST', () => {
  test.each(['', '127.0.0.1', '::1', 'localhost'])('%j can be listened on', async (HOST) => {
    expect((await loadConfig({ HOST })).host).toBe(HOST || '127.0.0.1');
  });

  test.each([
    'http://127.0.0.1',
    '127.0.0.1:3000',
    '[::1]',
    'a b',
    '-a',
    'a..b',
    `${'a'.repeat(64)}.example`,
  ])('%j is neither an address nor a name', (HOST) => {
    expect(problemsOf({ HOST })).toEqual([`HOST must be an IP address or a host name, but is '${HOST}'`]);
  });

  test('a name that does not resolve is told beside all other problems', async () => {
    const environment = { HOST: 'nowhere.invalid', PORT: 'x' };
    await expect(loadConfig(environment)).rejects.toMatchObject({
      problems: [
        "HOST must be an IP address or a name that resolves, but is 'nowhere.invalid'",
        "PORT must be a whole number from 0 to 65535, but is 'x'",
      ],
    });
  });
});

describe('the TypeORM command line', () => {
  test('reads the same DATABASE_URL and nothing else', () => {
    expect(databaseUrlOf({})).toBeUndefined();
    expect(databaseUrlOf({ DATABASE_URL: ' postgres://db/x ', PORT: 'wrong' })).toBe('postgres://db/x');
  });
});

describe("README's table of settings", () => {
  test('lists every setting with its default and documentation, in order', () => {
    const readme = readFileSync('README.md', 'utf8');
    const [, table = ''] = /<!-- settings:[^>]*-->([\s\S]*)<!-- \/settings -->/.exec(readme) ?? [];
    const rows = table
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
      .map((cells) => cells.slice(1, -1));
    expect(rows).toEqual(
      Object.values(SETTINGS).map(({ variable, shownDefault, doc }) => [
        `\`${variable}\``,
        shownDefault,
        doc,
      ]),
    );
  });
});

describe('what OpenTelemetry reads itself', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318';

  test.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/json'],
    ['OTEL_TRACES_SAMPLER', 'alwayson'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half'],
  ])('%s may not be %j where traces are made', (variable, text) => {
    expect(() => readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT, [variable]: text })).toThrow(variable);
    expect(() => readConfig({ [variable]: text })).not.toThrow();
  });

  test('is taken where it can be understood', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
    };
    expect(readConfig(environment).tracesEndpoint).toBe(OTEL_EXPORTER_OTLP_ENDPOINT);
  });
});
