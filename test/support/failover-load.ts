import { setTimeout as sleep } from 'node:timers/promises';
import { makeToken } from '../../src/tokens/token-format.js';
import { bearer, send } from './http.js';

/** How many live tokens are kept: what is issued on top is revoked. */
const LIVE_TOKENS = 20;
const PAUSE_MS = 20;

type Kind = 'cold verdict' | 'verdict' | 'write';

interface Target {
  name: string;
  url: string;
}

/** A token whose creation was acknowledged; times are ms of `performance.now()`. */
interface Known {
  token: string;
  tokenId: string;
  revocation: 'none' | 'begun' | 'acknowledged';
  revokedAt: number;
}

/** What a replica did when it was asked something. */
interface Attempt {
  replica: string;
  kind: Kind;
  endedAt: number;
  isAnswered: boolean;
}

/** Verifies, issues and revokes on several replicas at once without a pause, and remembers what was acknowledged. */
export class FailoverLoad {
  /** Answers that there must never be. */
  readonly broken: string[] = [];
  private readonly known: Known[] = [];
  private readonly attempts: Attempt[] = [];
  private loops: Promise<void>[] = [];
  private isOver = false;

  constructor(
    private readonly replicas: readonly Target[],
    private readonly boundMs: number,
    /** The headers of the administrator who issues and revokes. */
    private readonly asCaller: Record<string, string>,
  ) {}

  start(): void {
    const steps = [
      (replica: Target) => this.write(replica),
      (replica: Target) => this.verify(replica),
      (replica: Target) => this.verifyUnknown(replica),
    ];
    this.loops = this.replicas.flatMap((replica) =>
      steps.map(async (step) => {
        try {
          for (; !this.isOver; await sleep(PAUSE_MS)) await step(replica);
        } catch (error) {
          this.broken.push(`${replica.name}: ${(error as Error).message}`);
        }
      }),
    );
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.loops);
  }

  /**
   * How long after a moment each replica was back at each kind of work for good: when the first answer came after the last
   * failure; 0 where it was before that moment, Infinity where it never came.
   */
  back(moment: number): Record<string, number> {
    const kinds: Kind[] = ['cold verdict', 'verdict', 'write'];
    return Object.fromEntries(
      this.replicas.flatMap(({ name }) =>
        kinds.map((kind) => {
          const own = this.attempts.filter((attempt) => attempt.replica === name && attempt.kind === kind);
          const failedAt = own.findLast(({ isAnswered }) => !isAnswered)?.endedAt ?? -Infinity;
          const answered = own.find(({ isAnswered, endedAt }) => isAnswered && endedAt > failedAt);
          const back = Math.max(0, Math.round((answered?.endedAt ?? Infinity) - moment));
          return [`${kind}, ${name}`, back];
        }),
      ),
    );
  }

  /** The acknowledged changes that a replica knows nothing of. */
  async lost(): Promise<string[]> {
    const lost = await Promise.all(this.replicas.map((replica) => this.lostOn(replica)));
    return lost.flat();
  }

  /** What fails of much at once. */
  async burst(): Promise<string[]> {
    const before = this.attempts.length;
    await Promise.all(
      this.replicas.flatMap((replica) => [
        ...Array.from({ length: 40 }, () => this.verifyUnknown(replica)),
        ...Array.from({ length: 12 }, () => this.write(replica)),
      ]),
    );
    const failed = this.attempts.slice(before).filter(({ isAnswered }) => !isAnswered);
    return failed.map(({ kind, replica }) => `${kind} on ${replica}`);
  }

  private async lostOn(replica: Target): Promise<string[]> {
    const lost: string[] = [];
    for (const { token, tokenId, revocation } of this.known) {
      if (revocation === 'begun') continue;
      const due = revocation === 'acknowledged' ? 401 : 204;
      const status = await this.answer(replica, token);
      if (status !== due) lost.push(`${tokenId} on ${replica.name}: ${status}, not ${due}`);
    }
    return lost;
  }

  private async answer({ url }: Target, token: string): Promise<number> {
    return (await send(url, 'GET', '/verify', { headers: bearer(token) })).status;
  }

  private async write(replica: Target): Promise<void> {
    const body = { dialect: 'patois', owner: 'admin', name: 'kept', scopes: ['patois:*'] };
    const made = await send(replica.url, 'POST', '/patois/v1/tokens', { headers: this.asCaller, body });
    if (this.note(replica, 'write', made.status, [201])) {
      const { token, tokenId } = made.json as { token: string; tokenId: string };
      this.known.push({ token, tokenId, revocation: 'none', revokedAt: Infinity });
    }
    const live = this.known.filter(({ revocation }) => revocation === 'none');
    if (live.length > LIVE_TOKENS && live[0]) await this.revoke(replica, live[0]);
  }

  private async revoke(replica: Target, known: Known): Promise<void> {
    known.revocation = 'begun';
    const path = `/patois/v1/tokens/${known.tokenId}`;
    const { status } = await send(replica.url, 'DELETE', path, { headers: this.asCaller });
    if (!this.note(replica, 'write', status, [204])) return;
    known.revocation = 'acknowledged';
    known.revokedAt = performance.now();
  }

  private async verify(replica: Target): Promise<void> {
    const known = this.known[Math.floor(Math.random() * this.known.length)];
    if (!known) return;
    const askedAt = performance.now();
    const status = await this.answer(replica, known.token);
    this.note(replica, 'verdict', status, [204, 401]);
    const late = Math.round(askedAt - known.revokedAt);
    if (status === 204 && late > this.boundMs)
      this.broken.push(`${replica.name} accepted ${known.tokenId} ${late} ms after its revocation`);
    if (status === 401 && known.revocation === 'none')
      this.broken.push(`${replica.name} refused ${known.tokenId}, which nobody revoked`);
  }

  /** A value that nobody has asked for before: only the database knows that there is no such token. */
  private async verifyUnknown(replica: Target): Promise<void> {
    this.note(replica, 'cold verdict', await this.answer(replica, makeToken().value), [401]);
  }

  /** @returns whether it was answered; that the database is away may be said as well, and nothing else. */
  private note({ name }: Target, kind: Kind, status: number, due: number[]): boolean {
    const isAnswered = due.includes(status);
    if (!isAnswered && status !== 503) this.broken.push(`${kind} on ${name}: ${status}`);
    this.attempts.push({ replica: name, kind, endedAt: performance.now(), isAnswered });
    return isAnswered;
  }
}
