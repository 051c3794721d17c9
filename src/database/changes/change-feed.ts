import type {
  DataSource,
  EntityManager,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionCommitEvent,
  TransactionRollbackEvent,
} from 'typeorm';

/** The channel that replicas tell each other changes on. */
export const CHANNEL = 'patois_changes';
/** Stands for every key: more than this many are not named one by one. */
export const EVERYTHING = '*';
const MAX_KEYS = 500;
/** PostgreSQL takes less than 8,000 bytes a notification; a key has at most 36. */
const KEYS_A_NOTIFICATION = 150;

/** The payloads that tell other replicas of changed keys. */
export function notificationsOf(keys: readonly string[]): string[] {
  const names = keys.length > MAX_KEYS ? [EVERYTHING] : keys;
  const count = Math.ceil(names.length / KEYS_A_NOTIFICATION);
  return Array.from({ length: count }, (_, index) =>
    names.slice(index * KEYS_A_NOTIFICATION, (index + 1) * KEYS_A_NOTIFICATION).join(' '),
  );
}

export type Listener = (keys: ReadonlySet<string>) => void;

/**
 * Tells caches which keys (token ids, users' uuids) have changed. What a transaction names
 * is told to the listeners here before its commit returns to who made it, and to other replicas by the commit itself, in
 * the order of commits.
 */
export class ChangeFeed implements EntitySubscriberInterface {
  private readonly listeners: Listener[] = [];
  private readonly named = new WeakMap<QueryRunner, Set<string>>();

  constructor(
    dataSource: DataSource,
    private readonly isEmbedded: boolean,
  ) {
    dataSource.subscribers.push(this);
  }

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Names what the running transaction changes. */
  changed(manager: EntityManager, key: string): void {
    const { queryRunner } = manager;
    if (!queryRunner) throw new Error('A change is named inside its transaction');
    const keys = this.named.get(queryRunner);
    if (keys) keys.add(key);
    else this.named.set(queryRunner, new Set([key]));
  }

  /** Passes on what another replica changed. */
  tell(keys: ReadonlySet<string>): void {
    for (const listener of this.listeners) listener(keys);
  }

  /** Part of the transaction: other replicas are notified of the change if, and only if, it commits. */
  async beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    const keys = this.named.get(queryRunner);
    if (!keys || this.isEmbedded) return;
    for (const payload of notificationsOf([...keys])) {
      await queryRunner.query('SELECT pg_notify($1, $2)', [CHANNEL, payload]);
    }
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    const keys = this.named.get(queryRunner);
    this.named.delete(queryRunner);
    if (keys) this.tell(keys);
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    this.named.delete(queryRunner);
  }
}
