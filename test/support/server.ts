import type { LoggerService } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { AccountsService, type UserSpec } from '../../src/accounts/accounts.service.js';
import { Organization } from '../../src/accounts/organization.entity.js';
import { User } from '../../src/accounts/user.entity.js';
import { type App, createApp } from '../../src/app.js';
import { SYSTEM } from '../../src/audit/audit.writer.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { type Config, readConfig } from '../../src/config.js';
import { SYSTEM_AUTHORITY } from '../../src/tokens/authority/authority.js';
import { makeFirstPolicy } from '../../src/tokens/policy/policy.entity.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { TokenService, type TokenSpec } from '../../src/tokens/token.service.js';
import { Contract } from './contract.js';
import { basic, type Received, send, type Sent } from './http.js';
import { openTestStore } from './store.js';

export const ADMIN_PASSWORD = 'correct horse battery';
const ANY_TOKEN = /pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/g;

let checkedIn: Contract[] | undefined;

function contracts(): Contract[] {
  checkedIn ??= Contract.all();
  return checkedIn;
}

/** A user made for a test, with the headers of a call by password. */
export interface TestUser {
  user: User;
  password: string;
  byPassword: Record<string, string>;
}

/** A whole Patois on a database of its own, listening on a free port. Its end searches all output for secrets. */
export class TestServer {
  /** Every value that an answer of this server showed, or that a test issued. */
  readonly secrets = new Set<string>();

  private constructor(
    readonly app: App,
    readonly url: string,
    readonly logged: string[],
  ) {}

  /** @param openStore a fresh database, unless a test keeps one over several starts. */
  static async start(settings: Partial<Config> = {}, openStore = openTestStore): Promise<TestServer> {
    const logged: string[] = [];
    const config: Config = {
      ...readConfig({}),
      port: 0,
      bcryptCost: 4,
      adminPassword: ADMIN_PASSWORD,
      tokenKeys: [{ name: 'test', secret: randomBytes(32) }],
      ...settings,
    };
    const app = await createApp(config, capturing(logged), openStore);
    return new TestServer(app, await app.listen(), logged);
  }

  /** @throws when a secret is found in a log line or an audit row. */
  async close(): Promise<void> {
    const rows = await this.app.dataSource.manager.find(AuditEvent);
    await this.app.close();
    const output = [...this.logged, JSON.stringify(rows)].join('\n');
    for (const secret of this.secrets) {
      if (output.includes(secret.slice(16)))
        throw new Error(`The secret of ${secret.slice(0, 15)} was written`);
    }
  }

  /** Sends a request; an error that shows a token, or an answer that no document promises, fails the test. */
  async send(method: string, path: string, sent: Sent = {}): Promise<Received> {
    const received = await send(this.url, method, path, sent);
    const shown = received.text.match(ANY_TOKEN) ?? [];
    if (received.status >= 400 && shown.length > 0)
      throw new Error(`${method} ${path}: an error shows a token`);
    for (const value of shown) this.secrets.add(value);
    const broken = contracts().flatMap((contract) => contract.problemsOfCall(method, path, received));
    if (broken.length > 0) throw new Error(broken.join('\n'));
    return received;
  }

  get asAdmin(): Record<string, string> {
    return basic('admin', ADMIN_PASSWORD);
  }

  admin(): Promise<User> {
    return this.app.dataSource.manager.findOneByOrFail(User, { login: 'admin' });
  }

  /** Makes a user, in the organization `Default` unless told otherwise. */
  async makeUser(spec: Partial<UserSpec> = {}): Promise<TestUser> {
    const password = `pw-${randomBytes(8).toString('hex')}`;
    const login = spec.login ?? `user${randomBytes(4).toString('hex')}`;
    const organizationId = spec.organizationId ?? (await this.organization('Default')).id;
    const accounts = this.app.nest.get(AccountsService, { strict: false });
    const user = await accounts.createUser({ password, ...spec, login, organizationId }, SYSTEM);
    return { user, password, byPassword: basic(login, password) };
  }

  /** The organization of that name, made if it is not there. */
  async organization(name: string): Promise<Organization> {
    const found = await this.app.dataSource.manager.findOneBy(Organization, { name });
    if (found) return found;
    const accounts = this.app.nest.get(AccountsService, { strict: false });
    return accounts.createOrganization(name, SYSTEM, makeFirstPolicy);
  }

  /** Issues a token past every dialect: with any scopes, blocks, expiry and status. */
  async issue({
    ownerId,
    ...spec
  }: Partial<TokenSpec> & Pick<TokenSpec, 'dialect'> & { ownerId: string }): Promise<{
    token: Token;
    value: string;
  }> {
    const name = `token ${randomBytes(4).toString('hex')}`;
    const whole = { name, scopes: [], owner: { id: ownerId }, ...spec };
    const issued = await this.app.nest.get(TokenService, { strict: false }).issue(whole, SYSTEM_AUTHORITY);
    this.secrets.add(issued.value);
    return issued;
  }

  /** Revokes a token past every dialect. */
  async revoke(token: Token): Promise<void> {
    await this.app.nest.get(TokenService, { strict: false }).revoke({ id: token.id }, SYSTEM_AUTHORITY);
  }
}

function capturing(logged: string[]): LoggerService {
  const keep = (...parts: unknown[]): void => {
    logged.push(parts.map(String).join(' '));
  };
  return { log: keep, error: keep, warn: keep, debug: keep, verbose: keep, fatal: keep };
}
