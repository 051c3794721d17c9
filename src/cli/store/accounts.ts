import { AccountsService } from '../../accounts/accounts.service.js';
import { type FirstStart, makeFirstAdministrator } from '../../accounts/first-start.js';
import { findUser } from '../../accounts/references.js';
import { AuditWriter, SYSTEM } from '../../audit/audit.writer.js';
import { ChangeFeed } from '../../database/changes/change-feed.js';
import { migrateAlone } from '../../database/migrate.js';
import { StatementCounts } from '../../database/statements.js';
import { Transactions } from '../../database/transactions.js';
import { AuditKeyRing } from '../../hashing/audit-key-ring.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { loadKeyRing } from '../../hashing/key-ring.js';
import { makeFirstPolicy } from '../../tokens/policy/policy.entity.js';
import { looksLikeToken } from '../../tokens/token-format.js';
import { CommandError, EXIT, usageError } from '../exit.js';
import { pendingMigrations } from './migrations.js';
import { type Store, withStore } from './open-store.js';

interface Writers {
  hashing: HashingService;
  audit: AuditWriter;
}

const MIN_BYTES = 8;
const MAX_BYTES = 72;

/**
 * Gives a user a new password, as a call of the API does: with its audit event, and so that replicas that run take the
 * old one no more.
 *
 * @param ask for the password; only once it is known that there is such a user.
 * @returns the user's login.
 */
export function setPasswordOf(
  reference: string,
  ask: () => Promise<string>,
  version: string,
): Promise<string> {
  return withStore(false, async (store) => {
    const { dataSource } = store;
    if ((await pendingMigrations(dataSource)).length > 0) {
      throw new CommandError('The schema is not up to date: patois migrate', EXIT.failed);
    }
    const user = await findUser(dataSource.manager, reference);
    if (!user) throw new CommandError('No such user', EXIT.notFound);
    const writers = await writersOf(store);
    const passwordDigest = await writers.hashing.hashPassword(checked(await ask()));
    const { accounts, close } = accountsOf(store, writers);
    const actor = { ...SYSTEM, userAgent: `patois-cli/${version}` };
    const changed = await dataSource.transaction((manager) =>
      accounts.updateUser(user.id, { passwordDigest }, actor, manager),
    );
    await close();
    if (!changed) throw new CommandError('No such user', EXIT.notFound);
    return user.login;
  });
}

/**
 * Makes the schema, the organization `Default` and the first administrator, as a first start of the server does.
 *
 * @param password generated where there is none.
 * @throws {CommandError} where there are users already.
 */
export function makeFirst(password: string | undefined): Promise<FirstStart> {
  if (password !== undefined) checked(password);
  return withStore(true, async (store) => {
    const { hashing, audit } = await writersOf(store);
    const made = await migrateAlone(store.dataSource, store.database.isEmbedded, () =>
      makeFirstAdministrator(store.dataSource, hashing, audit, password, makeFirstPolicy),
    );
    if (made) return made;
    const message = 'There are users already; for a password that is lost: patois users set-password';
    throw new CommandError(message, EXIT.refused);
  });
}

function accountsOf(
  { dataSource, database }: Store,
  { hashing, audit }: Writers,
): { accounts: AccountsService; close: () => Promise<void> } {
  const feed = new ChangeFeed(dataSource, database.isEmbedded);
  const transactions = Transactions.of(database, dataSource, feed, new StatementCounts());
  return {
    accounts: new AccountsService(dataSource, hashing, audit, feed, transactions),
    close: () => transactions.onApplicationShutdown(),
  };
}

/** What writes to the store: digests of passwords, and the trail. */
async function writersOf({ config, dataSource }: Store): Promise<Writers> {
  const ring = await loadKeyRing(config);
  return {
    hashing: new HashingService(ring, config.bcryptCost),
    audit: new AuditWriter(dataSource, new AuditKeyRing(ring)),
  };
}

/** As the API checks a password. */
function checked(password: string): string {
  const bytes = Buffer.byteLength(password);
  if (bytes < MIN_BYTES || bytes > MAX_BYTES) {
    throw usageError(`A password has ${MIN_BYTES} to ${MAX_BYTES} bytes, and this one ${bytes}`);
  }
  if (/\p{Cc}/u.test(password)) throw usageError('A password has no control characters');
  if (looksLikeToken(password)) throw usageError('A token is no password');
  return password;
}
