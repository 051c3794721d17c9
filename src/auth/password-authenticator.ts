import { Injectable } from '@nestjs/common';
import { createHmac, randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { User } from '../accounts/user.entity.js';
import { type Actor, type AuditEntry, AuditWriter } from '../audit/audit.writer.js';
import { ThrottledEvents } from '../audit/throttled-events.js';
import { runnerOf, Statements } from '../database/statements.js';
import { FailureCounter } from '../hashing/failure-counter.js';
import { costOf, HashingService } from '../hashing/hashing.service.js';
import { SlowChecks } from '../hashing/slow-checks.js';
import { networkOf } from '../network/cidr.js';
import type { BasicCredentials, LoginSession } from '../protocol/credentials.js';
import { keptUserAgent, type Origin } from '../protocol/origin.js';
import { Refusal } from '../refusal.js';
import { looksLikeToken } from '../tokens/token-format.js';

const FAILURE_WINDOW_SECONDS = 300;
const MAX_FAILURES_OF_ADDRESS = 30;
const MAX_FAILURES_OF_LOGIN = 100;
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;
/** A client that sends a password with each request is one event in this time. */
const LOGIN_INTERVAL_MS = 3_600_000;

/** An address or a login that has failed so often that it must wait. */
interface Blocked {
  type: 'address' | 'login';
  id: string;
  failures: number;
}

/** Checks passwords at a bounded cost: few at once, a limited number of failures, and a correct one once per minute. */
@Injectable()
export class PasswordAuthenticator {
  private readonly ofAddress = new FailureCounter(MAX_FAILURES_OF_ADDRESS, FAILURE_WINDOW_SECONDS);
  private readonly ofLogin = new FailureCounter(MAX_FAILURES_OF_LOGIN, FAILURE_WINDOW_SECONDS);
  /** Keyed digests of correct passwords, with their expiry (ms); the key is random for each process. */
  private readonly remembered = new Map<string, number>();
  private readonly memoryKey = randomBytes(32);
  /** Those that succeeded, by user, address and way. */
  private readonly logins: ThrottledEvents;
  /** The highest bcrypt cost among the users: a failed check of any login takes as long. */
  private highestCost: Promise<number> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly hashing: HashingService,
    private readonly audit: AuditWriter,
    private readonly checks: SlowChecks,
    statements: Statements,
  ) {
    this.logins = new ThrottledEvents('logins', statements, audit, LOGIN_INTERVAL_MS);
  }

  /**
   * The user of a login and password.
   *
   * @throws {Refusal} unauthenticated, with the same work for a wrong login as for a wrong password; tooMany.
   */
  async check(
    credentials: BasicCredentials,
    origin: Origin,
    via: 'password' | 'session' = 'password',
  ): Promise<User> {
    const user = await this.checkOr(credentials, origin, async () => false, via);
    if (!user) throw new Refusal('unauthenticated', { reason: 'password' });
    return user;
  }

  /**
   * As {@link check}; undefined where the secret is no password, but something else that is good as well.
   *
   * @param isOther whether it is, asked in the turn of the check: the two together are one failed login at most.
   */
  async checkOr(
    { login, secret }: BasicCredentials,
    origin: Origin,
    isOther: () => Promise<boolean>,
    via: 'password' | 'session' = 'password',
  ): Promise<User | undefined> {
    let user = await this.findUser(login);
    // bcrypt is slow and queued: the user may have changed by the time it has run.
    const isFresh = user !== null && this.isRemembered(user, secret);
    const keys = { address: networkOf(origin.address), login: login.toLowerCase() };
    this.assertNotBlocked(keys);
    const blocked: Blocked[] = [];
    let isOtherSecret = false;
    const isRight =
      isFresh ||
      (await this.checks.run(keys.address, async () => {
        // Checked again after queueing, so that guesses made at the same moment count as well.
        this.assertNotBlocked(keys);
        const isMatch = await this.matches(secret, user);
        isOtherSecret = !isMatch && (await isOther());
        if (!isMatch && !isOtherSecret) blocked.push(...this.countFailure(keys));
        return isMatch;
      }));
    if (isOtherSecret) return undefined;
    if (!user || !isRight) {
      await this.recordFailure(login, user, origin, blocked);
      throw new Refusal('unauthenticated', { reason: 'password', login: shownLogin(login) });
    }
    if (!isFresh) user = await this.readAgain(user, secret, origin);
    if (user.disabled) {
      throw new Refusal('unauthenticated', { reason: 'ownerDisabled', login: user.login });
    }
    if (!isFresh || via === 'session') this.recordSuccess(user, origin, via);
    return user;
  }

  /** Writes the logins that are recorded. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    return this.logins.flush();
  }

  /**
   * As {@link check}, for a client that will send a session from now on. A token is never a password, and does not count
   * as a failed login.
   */
  async signIn(credentials: BasicCredentials, origin: Origin): Promise<User> {
    if (looksLikeToken(credentials.secret)) throw new Refusal('unauthenticated', { reason: 'password' });
    return this.check(credentials, origin, 'session');
  }

  /** As {@link signIn}, for a client that keeps the session itself. */
  async begin(credentials: BasicCredentials, origin: Origin): Promise<LoginSession> {
    const user = await this.signIn(credentials, origin);
    return { login: user.login, mark: markOf(user) };
  }

  /**
   * The user of a session, as they are now.
   *
   * @throws {Refusal} unauthenticated, once the user is gone or disabled or has another login or password.
   */
  async resume({ login, mark }: LoginSession): Promise<User> {
    const user = await this.findUser(login);
    if (!user || markOf(user) !== mark) throw new Refusal('unauthenticated', { reason: 'password' });
    if (user.disabled) throw new Refusal('unauthenticated', { reason: 'ownerDisabled', login: user.login });
    return user;
  }

  /**
   * Hashes a new password, queued with the checks: it costs as much as one.
   *
   * @throws {Refusal} tooMany.
   */
  hash(password: string, { address }: Pick<Origin, 'address'>): Promise<string> {
    return this.checks.run(networkOf(address), () => this.hashing.hashPassword(password));
  }

  private findUser(login: string): Promise<User | null> {
    return this.dataSource.manager
      .createQueryBuilder(User, 'user')
      .addSelect('user.passwordDigest')
      .innerJoinAndSelect('user.organization', 'organization')
      .where('lower(user.login) = lower(:login)', { login })
      .getOne();
  }

  private assertNotBlocked({ address, login }: { address: string; login: string }): void {
    const retryAfterSeconds = Math.max(
      this.ofAddress.secondsBlocked(address),
      this.ofLogin.secondsBlocked(login),
    );
    if (retryAfterSeconds === 0) return;
    const message = 'Too many failed logins, please try again later';
    throw new Refusal('tooMany', { reason: 'password', message, retryAfterSeconds });
  }

  /** The user as of now, if the password that was checked is still the user's; a hash of another cost is renewed. */
  private async readAgain(checked: User, secret: string, origin: Origin): Promise<User> {
    const user = await this.findUser(checked.login);
    if (user?.id !== checked.id || user.passwordVersion !== checked.passwordVersion) {
      throw new Refusal('unauthenticated', { reason: 'password', login: checked.login });
    }
    const { passwordDigest } = user;
    if (passwordDigest !== null && !this.hashing.isPasswordHashCurrent(passwordDigest)) {
      const unchanged = { id: user.id, passwordVersion: user.passwordVersion, passwordDigest };
      const renewed = await this.hash(secret, origin);
      await this.dataSource.manager.update(User, unchanged, { passwordDigest: renewed });
      user.passwordDigest = renewed;
    }
    this.remember(user, secret);
    return user;
  }

  /** @returns what must wait from now on. */
  private countFailure({ address, login }: { address: string; login: string }): Blocked[] {
    const blocked: Blocked[] = [];
    if (this.ofAddress.count(address)) {
      blocked.push({ type: 'address', id: address, failures: MAX_FAILURES_OF_ADDRESS });
    }
    if (this.ofLogin.count(login)) {
      blocked.push({ type: 'login', id: shownLogin(login), failures: MAX_FAILURES_OF_LOGIN });
    }
    return blocked;
  }

  /** A failed check takes equally long for every login, known or not, whatever the cost of its hash. */
  private async matches(secret: string, user: User | null): Promise<boolean> {
    const { passwordDigest = null } = user ?? {};
    if (passwordDigest !== null && (await this.hashing.matchesPassword(secret, passwordDigest))) return true;
    const highest = await this.highestCostInUse(passwordDigest);
    if (passwordDigest === null) {
      await this.hashing.matchesDecoyPassword(secret, highest);
      return false;
    }
    // Each step of the cost doubles the work: together these make up for a cheaper hash.
    for (let cost = costOf(passwordDigest); cost < highest; cost += 1) {
      await this.hashing.matchesDecoyPassword(secret, cost);
    }
    return false;
  }

  private async highestCostInUse(passwordDigest: string | null): Promise<number> {
    this.highestCost ??= this.readHighestCost();
    const known = await this.highestCost.catch((error: unknown) => {
      this.highestCost = undefined;
      throw error;
    });
    const own = passwordDigest === null ? 0 : costOf(passwordDigest);
    if (own > known) this.highestCost = Promise.resolve(own);
    return Math.max(own, known);
  }

  /** bcrypt writes its cost as two digits: `$2b$12$…`. */
  private async readHighestCost(): Promise<number> {
    const row = await this.dataSource.manager
      .createQueryBuilder(User, 'user')
      .select('max(substring(user.passwordDigest from 5 for 2))', 'cost')
      .getRawOne<{ cost: string | null }>();
    return Math.max(this.hashing.passwordCost, Number(row?.cost ?? 0));
  }

  private isRemembered(user: User, secret: string): boolean {
    return (this.remembered.get(this.memoryDigest(user, secret)) ?? 0) > Date.now();
  }

  private remember(user: User, secret: string): void {
    const digest = this.memoryDigest(user, secret);
    // A Map iterates in insertion order: the oldest entry is evicted when it is full.
    this.remembered.delete(digest);
    this.remembered.set(digest, Date.now() + REMEMBERED_MS);
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > MAX_REMEMBERED && oldest !== undefined) this.remembered.delete(oldest);
  }

  /** Includes the stored hash, so that a changed password is not remembered. */
  private memoryDigest(user: User, secret: string): string {
    const text = JSON.stringify([user.id, user.passwordDigest, secret]);
    return createHmac('sha256', this.memoryKey).update(text).digest('base64');
  }

  private recordSuccess(user: User, origin: Origin, via: 'password' | 'session'): void {
    this.logins.record(`${user.id} ${networkOf(origin.address)} ${via}`, (time) => ({
      time,
      actor: actorOf(user.login, user, origin),
      action: 'login.success',
      object: { type: 'login', id: user.login },
      after: { via },
    }));
  }

  private recordFailure(
    login: string,
    user: User | null,
    origin: Origin,
    blocked: readonly Blocked[],
  ): Promise<void> {
    const actor = actorOf(login, user, origin);
    return this.audit.write(runnerOf(this.dataSource.manager), [
      { actor, action: 'login.fail', object: { type: 'login', id: shownLogin(login) } },
      ...blocked.map(({ type, id, failures }): AuditEntry => ({
        actor,
        action: 'login.block',
        object: { type, id },
        after: { failures, windowSeconds: FAILURE_WINDOW_SECONDS },
      })),
    ]);
  }
}

/** Who logs in, or tries to: the system, where there is no such user. */
function actorOf(login: string, user: User | null, origin: Origin): Actor {
  return {
    type: user ? 'user' : 'system',
    id: user?.id ?? null,
    auditId: user?.id ?? null,
    name: shownLogin(login),
    createdAt: user?.createdAt ?? null,
    address: origin.address ?? null,
    userAgent: keptUserAgent(origin.userAgent),
    requestId: origin.requestId,
  };
}

/** A session ends with the password that it began with. */
function markOf({ id, passwordVersion }: User): string {
  return `${id} ${passwordVersion}`;
}

/** A login that is safe to repeat: people also type secrets into that field. */
function shownLogin(login: string): string {
  return looksLikeToken(login) ? '' : login.slice(0, 100);
}
