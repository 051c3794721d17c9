import { Injectable, Logger } from '@nestjs/common';
import { isDatabaseUnavailable } from '../database/errors.js';
import { type StatementRunner, statementOf, Statements } from '../database/statements.js';
import { Transactions } from '../database/transactions.js';
import { firstAddress, parseAddress } from '../network/addresses.js';
import type { TokenNotice } from '../notices/notice.js';
import { Outbox } from '../notices/outbox.js';

/** Of a token one notice in this time; what else is new meanwhile is new afterwards, too. */
const INTERVAL_MS = 86_400_000;
/** Of a token so many networks are known; of more the first ones are forgotten, and would be new again. */
const MAX_NETWORKS = 32;
/** One that is allotted to a site, as it is usual: its addresses change by themselves. */
const PREFIXES = { ipv4: 24, ipv6: 48 } as const;

/** Where a token was used from since its last use was written, and from where last. */
export interface Use {
  /** The token's uuid. */
  id: string;
  address: string | undefined;
  elsewhere: readonly string[] | undefined;
}

/** A token that was used from more than one network. */
interface Moved {
  id: string;
  /** The first of all is no news. */
  previous: string;
  addresses: string[];
}

interface KnownRow {
  id: string;
  networks: string[];
  noticed_at: Date | null;
  token_id: string;
  dialect: string;
  name: string;
  owner_id: string;
  organization_id: string;
  expires_at: Date | null;
}

/**
 * Tells of tokens that are used from a network that they had not been used from before. Of a token that is always used from
 * one network it keeps nothing: its last use is compared.
 */
@Injectable()
export class NewAddresses {
  private readonly logger = new Logger(NewAddresses.name);

  constructor(
    private readonly statements: Statements,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
  ) {}

  /** Whether anybody wants to know. */
  get isWatched(): boolean {
    return this.outbox.wasWanted('token.newAddress');
  }

  /**
   * To be called before the uses are written, and again where that fails: nothing is told twice.
   *
   * @throws where the database is away; any other fault keeps no use from being written.
   */
  async report(uses: readonly Use[]): Promise<void> {
    try {
      const moved = await this.findMoved(uses);
      if (moved.length > 0) await this.tell(moved);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      this.logger.error(`New addresses of ${uses.length} tokens were not told of: ${String(error)}`);
    }
  }

  private async findMoved(uses: readonly Use[]): Promise<Moved[]> {
    const text = `
      SELECT u.id, l.address FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS u (id, address, has_moved)
        LEFT JOIN last_uses l ON l.token_uuid = u.id
      WHERE u.has_moved OR l.address <> u.address`;
    const found = await this.statements.run<{ id: string; address: string | null }>(
      statementOf('new-address', text),
      [
        uses.map(({ id }) => id),
        uses.map(({ address }) => address ?? null),
        uses.map(({ elsewhere }) => elsewhere !== undefined),
      ],
    );
    const byId = new Map(uses.map((use) => [use.id, use]));
    return found.flatMap(({ id, address }) => {
      const use = byId.get(id);
      const addresses = [...(use?.elsewhere ?? []), ...(use?.address === undefined ? [] : [use.address])];
      const previous = address ?? addresses[0];
      if (previous === undefined) return [];
      const isElsewhere = addresses.some((one) => networkOf(one) !== networkOf(previous));
      return isElsewhere ? [{ id, previous, addresses }] : [];
    });
  }

  private async tell(moved: readonly Moved[]): Promise<void> {
    await this.transactions.run('new-addresses', async (transaction) => {
      const known = new Map((await lockKnown(transaction, moved)).map((row) => [row.id, row]));
      const now = new Date();
      const news = moved.flatMap((one) => {
        const row = known.get(one.id);
        if (!row || (row.noticed_at !== null && now.getTime() - row.noticed_at.getTime() < INTERVAL_MS))
          return [];
        const addresses = one.addresses.filter((address) => !row.networks.includes(networkOf(address)));
        return addresses.length === 0 ? [] : [{ row, addresses, previous: one.previous }];
      });
      if (news.length === 0) return;
      await this.outbox.write(transaction, news.map(noticeOf));
      const text = `
        UPDATE known_networks k SET networks = ARRAY(SELECT json_array_elements_text(u.networks)), noticed_at = $3
        FROM unnest($1::uuid[], $2::json[]) AS u (id, networks) WHERE k.token_uuid = u.id`;
      await transaction.last.run(statementOf('new-address', text), [
        news.map(({ row }) => row.id),
        news.map(({ row, addresses }) => JSON.stringify(withNetworks(row.networks, addresses))),
        now,
      ]);
    });
  }
}

/** The networks of tokens, with the tokens; of one that had no row the network before is the one that is known. */
async function lockKnown(runner: StatementRunner, moved: readonly Moved[]): Promise<KnownRow[]> {
  const insert = `
    INSERT INTO known_networks (token_uuid, networks)
    SELECT u.id, ARRAY[u.network] FROM unnest($1::uuid[], $2::text[]) AS u (id, network) ORDER BY u.id
    ON CONFLICT (token_uuid) DO NOTHING`;
  const ids = moved.map(({ id }) => id);
  await runner.run(statementOf('new-address', insert), [
    ids,
    moved.map(({ previous }) => networkOf(previous)),
  ]);
  const lock = `
    SELECT k.token_uuid AS id, k.networks, k.noticed_at, t.token_id, t.dialect, t.name, t.owner_id, t.organization_id,
      t.expires_at
    FROM known_networks k JOIN tokens t ON t.id = k.token_uuid
    WHERE k.token_uuid = ANY ($1::uuid[]) ORDER BY k.token_uuid FOR UPDATE OF k`;
  return runner.run<KnownRow>(statementOf('new-address', lock), [ids]);
}

function noticeOf({
  row,
  addresses,
  previous,
}: {
  row: KnownRow;
  addresses: string[];
  previous: string;
}): TokenNotice {
  const { token_id: tokenId, dialect, name, owner_id: ownerId, organization_id: organizationId } = row;
  return {
    event: 'token.newAddress',
    token: { tokenId, dialect, name, ownerId, organizationId, expiresAt: row.expires_at },
    details: { addresses, previousAddress: previous },
  };
}

function withNetworks(known: readonly string[], addresses: readonly string[]): string[] {
  return [...new Set([...known, ...addresses.map(networkOf)])].slice(-MAX_NETWORKS);
}

function networkOf(address: string): string {
  const parsed = parseAddress(address);
  if (!parsed) return address;
  const prefix = PREFIXES[parsed.kind()];
  return `${firstAddress(parsed, prefix).toString()}/${prefix}`;
}
