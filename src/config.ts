import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { normalizeCidrs } from './network/cidr.js';
import { parsePostgresUrl } from './network/postgres-url.js';

/**
 * How far back a Quay client is to be served: as the published reference says, or as a deployed Quay answers.
 */
export type QuayFidelity = 'documented' | 'deployed';
export type LogFormat = 'text' | 'json';
/** Which verifications on the fast paths are traced: those of a caller whose own trace is sampled, or all. */
export type TracedVerifications = 'none' | 'sampled' | 'all';
/** The roles that a group can stand for. */
export type ScimRole = 'member' | 'organizationAdministrator';
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug';

/** One key that digests tokens; the first of a ring signs, all verify. */
export interface TokenKey {
  name: string;
  /** 32 bytes. */
  secret: Buffer;
}

/** What modules inject the settings by. */
export const CONFIG = Symbol('config');

/** Every setting of a running Patois, checked. Where each comes from stands in {@link SETTINGS}. */
export interface Config {
  host: string;
  port: number;
  publicUrl: string | undefined;
  databaseUrl: string | undefined;
  databaseListenUrl: string | undefined;
  databaseReadUrl: string | undefined;
  dataDir: string;
  tokenKeys: TokenKey[] | undefined;
  adminPassword: string | undefined;
  bcryptCost: number;
  trustedProxies: string[];
  quayFidelity: QuayFidelity;
  quayTokenLifetimeSeconds: number | undefined;
  verificationMaxStalenessSeconds: number;
  workers: number;
  exchangeTokenLifetimeSeconds: number;
  /** Undefined: any. */
  registryServices: string[] | undefined;
  /** A file or an address. */
  githubSecretScanningKeys: string | undefined;
  /** A file. */
  oidcProviders: string | undefined;
  /** By the name of a group in lower case. */
  scimRoleGroups: ReadonlyMap<string, ScimRole>;
  /** Undefined: for ever. */
  auditRetentionSeconds: number | undefined;
  smtpUrl: string | undefined;
  mailFrom: string | undefined;
  mailsOwners: boolean;
  webhookAllowsHttp: boolean;
  webhookPrivateNetworks: string[];
  requestTimeoutSeconds: number;
  drainDelaySeconds: number;
  shutdownTimeoutSeconds: number;
  logLevel: LogLevel;
  logFormat: LogFormat;
  /** Where traces go, without `/v1/traces`. */
  tracesEndpoint: string | undefined;
  tracedVerifications: TracedVerifications;
}

interface Setting<Value> {
  /** The name in the environment. */
  variable: string;
  /** One line for the README's table. */
  doc: string;
  /** As it is shown in the README. */
  shownDefault: string;
  fallback: Value;
  /** Throws an Error whose message stands behind the name. It must not repeat a secret. */
  parse(text: string): Value;
}

type Settings = { [Key in keyof Config]: Setting<Config[Key]> };

/** RFC 1123, 2.1; underscores as well, which some networks of containers have. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?(\.[a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?)*\.?$/i;
const LOG_FORMATS: LogFormat[] = ['text', 'json'];
const LOG_LEVELS: LogLevel[] = ['fatal', 'error', 'warn', 'info', 'debug'];
const TRACES_SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];
const SCIM_ROLES: ScimRole[] = ['member', 'organizationAdministrator'];
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 } as const;

/** Every setting: name, default, bounds and one line of documentation. */
export const SETTINGS: Settings = {
  host: {
    variable: 'HOST',
    doc: 'Address to listen on: an IP address, or a name that resolves to one of this machine.',
    shownDefault: '127.0.0.1',
    fallback: '127.0.0.1',
    parse: parseHost,
  },
  port: {
    variable: 'PORT',
    doc: 'TCP port, 0 to 65535; 0 picks a free one, which the log names.',
    shownDefault: '3000',
    fallback: 3000,
    parse: (text) => wholeNumber(text, 0, 65_535),
  },
  publicUrl: {
    variable: 'PUBLIC_URL',
    doc: 'The address clients know this server by (http or https): for links in answers, and the origin of its own pages.',
    shownDefault: "the request's scheme and Host",
    fallback: undefined,
    parse: parsePublicUrl,
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    doc: 'PostgreSQL 14 or newer, `postgres://user:password@host:5432/name`; of several servers, `host1:5432,host2:5432`, the primary. Unset: the embedded database.',
    shownDefault: 'embedded database',
    fallback: undefined,
    parse: parseDatabaseUrl,
  },
  databaseListenUrl: {
    variable: 'DATABASE_LISTEN_URL',
    doc: 'The same database past a pooler in transaction mode, which lets no notifications through ([cluster.md](docs/cluster.md)).',
    shownDefault: '`DATABASE_URL`',
    fallback: undefined,
    parse: parseDatabaseUrl,
  },
  databaseReadUrl: {
    variable: 'DATABASE_READ_URL',
    doc: 'A standby of the same database, for inventory, exports and the lists of the audit trail ([cluster.md](docs/cluster.md#a-standby-for-lists)).',
    shownDefault: '`DATABASE_URL`',
    fallback: undefined,
    parse: parseReadUrl,
  },
  dataDir: {
    variable: 'DATA_DIR',
    doc: 'Folder of the embedded database and its generated token keys.',
    shownDefault: './data',
    fallback: './data',
    parse: (text) => text,
  },
  tokenKeys: {
    variable: 'TOKEN_KEYS',
    doc: 'Keys that digest tokens, `name:base64 of 32 bytes[,name:…]`; the first signs, all verify. Required with `DATABASE_URL`.',
    shownDefault: 'generated into `DATA_DIR/token-keys`',
    fallback: undefined,
    parse: parseTokenKeys,
  },
  adminPassword: {
    variable: 'ADMIN_PASSWORD',
    doc: 'Password of the first administrator, 8 to 72 bytes; read at the first start only.',
    shownDefault: 'generated and printed once',
    fallback: undefined,
    parse: parsePassword,
  },
  bcryptCost: {
    variable: 'BCRYPT_COST',
    doc: 'Work factor of password hashes, 4 to 16; each step doubles the time.',
    shownDefault: '12',
    fallback: 12,
    parse: (text) => wholeNumber(text, 4, 16),
  },
  trustedProxies: {
    variable: 'TRUSTED_PROXIES',
    doc: 'CIDR blocks, separated by commas, of proxies whose `X-Forwarded-For` counts.',
    shownDefault: 'none',
    fallback: [],
    parse: parseNetworks,
  },
  quayFidelity: {
    variable: 'QUAY_FIDELITY',
    doc: "`documented` (Quay's published reference) or `deployed` (what a running Quay answers).",
    shownDefault: 'documented',
    fallback: 'documented',
    parse: (text) => oneOf(text, ['documented', 'deployed']),
  },
  quayTokenLifetimeSeconds: {
    variable: 'QUAY_TOKEN_LIFETIME',
    doc: 'Lifetime of new Quay app tokens, a number and `s`, `m`, `h`, `d`, `w` or `y`.',
    shownDefault: 'never expires',
    fallback: undefined,
    parse: parseLifetime,
  },
  verificationMaxStalenessSeconds: {
    variable: 'VERIFICATION_MAX_STALENESS',
    doc: 'Seconds, 0 to 60, that a decision may rest on a token remembered in memory, whatever fails; 0 remembers none.',
    shownDefault: '2',
    fallback: 2,
    parse: (text) => wholeNumber(text, 0, 60),
  },
  workers: {
    variable: 'WORKERS',
    doc: 'Processes behind the one port, 1 to 64, or `auto`: one a processor. More than one needs `DATABASE_URL`.',
    shownDefault: '1',
    fallback: 1,
    parse: (text) => (text === 'auto' ? Math.min(64, availableParallelism()) : wholeNumber(text, 1, 64)),
  },
  exchangeTokenLifetimeSeconds: {
    variable: 'EXCHANGE_TOKEN_LIFETIME',
    doc: 'Seconds, 1 to 300, that a JWT of `/oauth2/token` lives; a revoked token lives on in its JWTs for so long.',
    shownDefault: '300',
    fallback: 300,
    parse: (text) => wholeNumber(text, 1, 300),
  },
  registryServices: {
    variable: 'REGISTRY_SERVICES',
    doc: 'Registries, separated by commas, that `/v2/token` issues tokens for: the `service` that each is configured with.',
    shownDefault: 'any',
    fallback: undefined,
    parse: parseServices,
  },
  githubSecretScanningKeys: {
    variable: 'GITHUB_SECRET_SCANNING_KEYS',
    doc: "Where GitHub's public keys are that sign its reports of leaked tokens: an https address, as `https://api.github.com/meta/public_keys/secret_scanning`, or the absolute path of a file. Unset: its reports are not taken.",
    shownDefault: 'none',
    fallback: undefined,
    parse: parseKeysPlace,
  },
  oidcProviders: {
    variable: 'OIDC_PROVIDERS',
    doc: 'The absolute path of a JSON file with the OpenID Connect providers that people sign in to the console by ([docs/sign-in.md](docs/sign-in.md)). Needs `PUBLIC_URL`.',
    shownDefault: 'none',
    fallback: undefined,
    parse: parseAbsolutePath,
  },
  scimRoleGroups: {
    variable: 'SCIM_ROLE_GROUPS',
    doc: 'Groups of identity providers that stand for a role, `name=organizationAdministrator`, separated by commas ([docs/scim.md](docs/scim.md)).',
    shownDefault: 'none',
    fallback: new Map(),
    parse: parseRoleGroups,
  },
  auditRetentionSeconds: {
    variable: 'AUDIT_RETENTION',
    doc: 'How long audit events are kept, a number and `s`, `m`, `h`, `d`, `w` or `y`; their seals stay.',
    shownDefault: 'for ever',
    fallback: undefined,
    parse: parseLifetime,
  },
  smtpUrl: {
    variable: 'SMTP_URL',
    doc: 'The mail server that notices go out by, `smtp://user:password@host:587` or `smtps://…:465`.',
    shownDefault: 'no mail',
    fallback: undefined,
    parse: parseSmtpUrl,
  },
  mailFrom: {
    variable: 'MAIL_FROM',
    doc: 'The sender of mails, `patois@example.com` or `Patois <patois@example.com>`. Required with `SMTP_URL`.',
    shownDefault: 'none',
    fallback: undefined,
    parse: parseMailFrom,
  },
  mailsOwners: {
    variable: 'NOTICE_OWNER_MAIL',
    doc: '`true` or `false`: whether the owner of a token is told by mail as well, where `SMTP_URL` is set.',
    shownDefault: 'true',
    fallback: true,
    parse: parseBoolean,
  },
  webhookAllowsHttp: {
    variable: 'WEBHOOK_ALLOW_HTTP',
    doc: '`true` or `false`: whether webhooks may have `http` addresses, not `https` alone.',
    shownDefault: 'false',
    fallback: false,
    parse: parseBoolean,
  },
  webhookPrivateNetworks: {
    variable: 'WEBHOOK_PRIVATE_NETWORKS',
    doc: 'CIDR blocks, separated by commas, of private networks that webhooks may go to; others are refused.',
    shownDefault: 'none',
    fallback: [],
    parse: parseNetworks,
  },
  requestTimeoutSeconds: {
    variable: 'REQUEST_TIMEOUT',
    doc: 'Seconds, 1 to 600, within which a whole request, its body too, must have arrived.',
    shownDefault: '30',
    fallback: 30,
    parse: (text) => wholeNumber(text, 1, 600),
  },
  drainDelaySeconds: {
    variable: 'DRAIN_DELAY',
    doc: 'Seconds, 0 to 300, that a process which is told to end goes on serving while `/readyz` answers 503, so that load balancers see it first. A part of `SHUTDOWN_TIMEOUT`.',
    shownDefault: '0',
    fallback: 0,
    parse: (text) => wholeNumber(text, 0, 300),
  },
  shutdownTimeoutSeconds: {
    variable: 'SHUTDOWN_TIMEOUT',
    doc: 'Seconds, 1 to 600, within which a process that is told to end has ended, `DRAIN_DELAY` included. The last two (of less than four, half) are for what is to be written; requests still in flight then are cut off.',
    shownDefault: '8',
    fallback: 8,
    parse: (text) => wholeNumber(text, 1, 600),
  },
  logLevel: {
    variable: 'LOG_LEVEL',
    doc: '`fatal`, `error`, `warn`, `info` or `debug`.',
    shownDefault: 'info',
    fallback: 'info',
    parse: (text) => oneOf(text, LOG_LEVELS),
  },
  logFormat: {
    variable: 'LOG_FORMAT',
    doc: '`text`, or `json`: one object a line ([docs/telemetry.md](docs/telemetry.md)).',
    shownDefault: 'text',
    fallback: 'text',
    parse: (text) => oneOf(text, LOG_FORMATS),
  },
  tracesEndpoint: {
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    doc: 'Where OpenTelemetry traces go, by OTLP over HTTP (`http://collector:4318`; `/v1/traces` is appended). Other `OTEL_…` variables are read by OpenTelemetry itself ([docs/telemetry.md](docs/telemetry.md)).',
    shownDefault: 'no traces',
    fallback: undefined,
    parse: parseTracesEndpoint,
  },
  tracedVerifications: {
    variable: 'TRACE_VERIFICATIONS',
    doc: 'Which requests to `/verify` and `/oauth2/introspect` are traced: `none`, `sampled` (those whose `traceparent` says so) or `all`.',
    shownDefault: 'none',
    fallback: 'none',
    parse: (text) => oneOf(text, ['none', 'sampled', 'all']),
  },
};

/** All that is wrong with the settings, one problem a line. */
export class ConfigurationError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationError';
  }
}

/**
 * Reads and checks every setting, and asks whether `HOST` resolves; an empty variable counts as unset.
 *
 * @throws {ConfigurationError} with every problem at once.
 */
export async function loadConfig(environment: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const { config, problems } = inspect(environment);
  const { host } = config;
  if (isIP(host) === 0 && !(await resolves(host))) {
    problems.unshift(
      `${SETTINGS.host.variable} must be an IP address or a name that resolves, but is '${host}'`,
    );
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return config;
}

/**
 * As {@link loadConfig}, but asks nobody.
 *
 * @throws {ConfigurationError} with every problem at once.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const { config, problems } = inspect(environment);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return config;
}

async function resolves(name: string): Promise<boolean> {
  return lookup(name).then(
    () => true,
    () => false,
  );
}

/** Every setting, and all that is wrong with them; a setting that is wrong has its default. */
function inspect(environment: NodeJS.ProcessEnv): { config: Config; problems: string[] } {
  const problems: string[] = [];
  const read = <Value>(setting: Setting<Value>): Value => {
    const text = environment[setting.variable]?.trim();
    if (!text) return setting.fallback;
    try {
      return setting.parse(text);
    } catch (error) {
      problems.push(`${setting.variable} ${(error as Error).message}`);
      return setting.fallback;
    }
  };
  const config: Config = {
    host: read(SETTINGS.host),
    port: read(SETTINGS.port),
    publicUrl: read(SETTINGS.publicUrl),
    databaseUrl: read(SETTINGS.databaseUrl),
    databaseListenUrl: read(SETTINGS.databaseListenUrl),
    databaseReadUrl: read(SETTINGS.databaseReadUrl),
    dataDir: read(SETTINGS.dataDir),
    tokenKeys: read(SETTINGS.tokenKeys),
    adminPassword: read(SETTINGS.adminPassword),
    bcryptCost: read(SETTINGS.bcryptCost),
    trustedProxies: read(SETTINGS.trustedProxies),
    quayFidelity: read(SETTINGS.quayFidelity),
    quayTokenLifetimeSeconds: read(SETTINGS.quayTokenLifetimeSeconds),
    verificationMaxStalenessSeconds: read(SETTINGS.verificationMaxStalenessSeconds),
    workers: read(SETTINGS.workers),
    exchangeTokenLifetimeSeconds: read(SETTINGS.exchangeTokenLifetimeSeconds),
    registryServices: read(SETTINGS.registryServices),
    githubSecretScanningKeys: read(SETTINGS.githubSecretScanningKeys),
    oidcProviders: read(SETTINGS.oidcProviders),
    scimRoleGroups: read(SETTINGS.scimRoleGroups),
    auditRetentionSeconds: read(SETTINGS.auditRetentionSeconds),
    smtpUrl: read(SETTINGS.smtpUrl),
    mailFrom: read(SETTINGS.mailFrom),
    mailsOwners: read(SETTINGS.mailsOwners),
    webhookAllowsHttp: read(SETTINGS.webhookAllowsHttp),
    webhookPrivateNetworks: read(SETTINGS.webhookPrivateNetworks),
    requestTimeoutSeconds: read(SETTINGS.requestTimeoutSeconds),
    drainDelaySeconds: read(SETTINGS.drainDelaySeconds),
    shutdownTimeoutSeconds: read(SETTINGS.shutdownTimeoutSeconds),
    logLevel: read(SETTINGS.logLevel),
    logFormat: read(SETTINGS.logFormat),
    tracesEndpoint: read(SETTINGS.tracesEndpoint),
    tracedVerifications: read(SETTINGS.tracedVerifications),
  };
  if (config.databaseUrl && !environment['TOKEN_KEYS']?.trim()) {
    problems.push(
      'TOKEN_KEYS is required with DATABASE_URL: name:base64 of 32 bytes (openssl rand -base64 32)',
    );
  }
  if (config.databaseListenUrl && !config.databaseUrl) {
    problems.push('DATABASE_LISTEN_URL needs DATABASE_URL: the embedded database has no pooler');
  }
  if (config.databaseReadUrl && !config.databaseUrl) {
    problems.push('DATABASE_READ_URL needs DATABASE_URL: the embedded database has no standby');
  }
  if (config.workers > 1 && !config.databaseUrl) {
    problems.push('WORKERS above 1 needs DATABASE_URL: the embedded database serves one process');
  }
  if (config.drainDelaySeconds >= config.shutdownTimeoutSeconds) {
    problems.push(
      `DRAIN_DELAY must be less than SHUTDOWN_TIMEOUT, which is ${config.shutdownTimeoutSeconds}: it is a part of it`,
    );
  }
  if (config.smtpUrl && !environment['MAIL_FROM']?.trim()) {
    problems.push('MAIL_FROM is required with SMTP_URL: the address that mails come from');
  }
  if (config.oidcProviders && !environment['PUBLIC_URL']?.trim()) {
    problems.push('PUBLIC_URL is required with OIDC_PROVIDERS: providers send people back to it');
  }
  if (config.tracesEndpoint) problems.push(...problemsOfTracing(environment));
  return { config, problems };
}

/** OpenTelemetry reads these itself, and would take what it does not understand for the default without a word. */
function problemsOfTracing(environment: NodeJS.ProcessEnv): string[] {
  const choices: Record<string, string[]> = {
    OTEL_EXPORTER_OTLP_PROTOCOL: ['http/protobuf'],
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: ['http/protobuf'],
    OTEL_TRACES_SAMPLER: TRACES_SAMPLERS,
  };
  const problems = Object.entries(choices).flatMap(([variable, allowed]) => {
    const text = environment[variable]?.trim();
    if (!text || allowed.includes(text)) return [];
    return [`${variable} must be one of ${allowed.join(', ')}, but is '${text}'`];
  });
  const ratio = environment['OTEL_TRACES_SAMPLER_ARG']?.trim();
  if (ratio && !(Number(ratio) >= 0 && Number(ratio) <= 1)) {
    problems.push(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, but is '${ratio}'`);
  }
  return problems;
}

/** How the log is to be written, for what must be said before every setting is known to be right. */
export function logFormatOf(environment: NodeJS.ProcessEnv = process.env): LogFormat {
  return environment[SETTINGS.logFormat.variable]?.trim() === 'json' ? 'json' : 'text';
}

/** The database alone, for the TypeORM command line, which needs no other setting. */
export function databaseUrlOf(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment[SETTINGS.databaseUrl.variable]?.trim() || undefined;
}

/**
 * Reads a key ring, `name:base64 of 32 bytes[,name:…]`; what `DATA_DIR/token-keys` holds is of the same form.
 *
 * @throws {Error} whose message names the entry by its place or name, never by its bytes.
 */
export function parseTokenKeys(text: string): TokenKey[] {
  const keys = text.split(',').map((entry, index) => {
    const separator = entry.indexOf(':');
    const name = entry.slice(0, separator).trim();
    if (separator < 1 || !/^[\w.-]{1,64}$/.test(name)) {
      throw new Error(`must be name:base64[,name:base64…]; entry ${index + 1} has no name`);
    }
    const base64 = entry.slice(separator + 1).trim();
    const secret = Buffer.from(base64, 'base64');
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64) || secret.length !== 32) {
      throw new Error(`must hold 32 bytes in base64 for each key; key '${name}' does not`);
    }
    return { name, secret };
  });
  const names = keys.map((key) => key.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`names the key '${twice}' twice`);
  return keys;
}

function wholeNumber(text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new Error(`must be a whole number from ${least} to ${most}, but is '${text}'`);
  }
  return number;
}

function oneOf<Choice extends string>(text: string, choices: Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}, but is '${text}'`);
  return choice;
}

function parseHost(text: string): string {
  if (isIP(text) === 0 && !HOST_NAME.test(text)) {
    throw new Error(`must be an IP address or a host name, but is '${text}'`);
  }
  return text;
}

function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new Error('must be an http or https address without credentials, query or fragment');
  }
  return url.href.replace(/\/+$/, '');
}

/** What connects is the primary, whatever else it could be asked for. */
function parseDatabaseUrl(text: string): string {
  if (!['read-write', 'primary', undefined].includes(sessionsOf(text))) {
    throw new Error('must have no target_session_attrs but read-write: Patois writes');
  }
  return text;
}

/** What connects is a standby, or is not used. */
function parseReadUrl(text: string): string {
  if (!['standby', 'prefer-standby', 'read-only', 'any', undefined].includes(sessionsOf(text))) {
    throw new Error('must have no target_session_attrs but standby: lists alone are read there');
  }
  return text;
}

/** The `target_session_attrs` of an address. */
function sessionsOf(text: string): string | undefined {
  const address = parsePostgresUrl(text);
  // The text may hold a password: it is not repeated.
  if (!address) throw new Error('must be postgres://user:password@host:port[,host:port…]/database');
  return address.sessions;
}

function parseSmtpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text may hold a password: it is not repeated.
  if (!url || !/^smtps?:$/.test(url.protocol) || !url.hostname) {
    throw new Error('must be smtp://user:password@host:port or smtps://user:password@host:port');
  }
  return text;
}

/** As people write it, without the forms that only a program would: one address, with or without a name. */
function parseMailFrom(text: string): string {
  const [, address = text] = /^[^<>\p{Cc}]*<([^<>]+)>$/u.exec(text) ?? [];
  if (!/^[^\s<>@,;:"\p{Cc}]+@[^\s<>@,;:"\p{Cc}]+$/u.test(address)) {
    throw new Error('must be one address, such as patois@example.com or Patois <patois@example.com>');
  }
  return text;
}

/** OpenTelemetry Protocol Exporter, endpoint URLs for OTLP/HTTP: a path is kept, and what the signal is called appended. */
function parseTracesEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A credential belongs in OTEL_EXPORTER_OTLP_HEADERS; the text may hold one, so it is not repeated.
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new Error('must be an http or https address without credentials, query or fragment');
  }
  return url.href.replace(/\/+$/, '');
}

function parseBoolean(text: string): boolean {
  return oneOf(text, ['true', 'false']) === 'true';
}

function parsePassword(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes < 8 || bytes > 72) throw new Error(`must have 8 to 72 bytes, but has ${bytes}`);
  return text;
}

function parseNetworks(text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  // A bare address is a block of one.
  return normalizeCidrs(entries.map((entry) => (isIP(entry) === 0 ? entry : `${entry}/${bitsOf(entry)}`)));
}

function bitsOf(address: string): number {
  return isIP(address) === 4 ? 32 : 128;
}

function parseServices(text: string): string[] {
  const services = text.split(',').map((service) => service.trim());
  if (services.includes(''))
    throw new Error('must list services such as registry.example.com, but one is empty');
  return services;
}

function parseKeysPlace(text: string): string {
  if (isAbsolute(text)) return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Who can change what is read on its way can report any token as leaked: without TLS only from this machine.
  const isOfThisMachine = url?.hostname === '127.0.0.1' || url?.hostname === '[::1]';
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isOfThisMachine);
  if (!url || !isSafe || url.username || url.hash) {
    throw new Error('must be an https address without credentials, or an absolute path');
  }
  return url.href;
}

function parseAbsolutePath(text: string): string {
  if (!isAbsolute(text)) throw new Error(`must be the absolute path of a file, but is '${text}'`);
  return text;
}

function parseRoleGroups(text: string): ReadonlyMap<string, ScimRole> {
  const groups = new Map<string, ScimRole>();
  for (const entry of text.split(',')) {
    const [, name = '', role = ''] = /^\s*(.*\S)\s*=\s*(\S*)\s*$/.exec(entry) ?? [];
    const known = SCIM_ROLES.find((one) => one === role);
    if (name === '' || !known) {
      throw new Error(`must be name=role[,name=role…], the role one of ${SCIM_ROLES.join(', ')}`);
    }
    if (groups.has(name.toLowerCase())) throw new Error(`names the group '${name}' twice`);
    groups.set(name.toLowerCase(), known);
  }
  return groups;
}

function parseLifetime(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhdwy])$/.exec(text) ?? [];
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
  // 1,000 years: what lies beyond is no date a client can read.
  if (!(seconds > 0 && seconds <= 1000 * SECONDS.y)) {
    throw new Error(`must be a number and one of s, m, h, d, w, y, such as 4w, but is '${text}'`);
  }
  return seconds;
}
