// Fills a store with tokens, straight by SQL. As a command:
//   DATABASE_URL=postgres://… TOKEN_KEYS=name:… node seed.mjs --tokens 5000000 --users 50000 --known 100000 > values.txt
// The store must be empty of tokens and have its tables: start Patois on it once. Known values go to standard output.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fromPatois } from './support/patois.mjs';
import { withClient } from './support/postgres.mjs';

const DIALECTS = ['foreman', 'yunxiao', 'panther', 'quay', 'losant'];
/** What a token of each dialect holds. */
const SCOPES = {
  foreman: ['foreman:*'],
  yunxiao: ['base_user_read'],
  panther: ['OrganizationAPITokenRead'],
  quay: ['user:admin'],
  losant: ['all.User'],
  patois: ['*'],
};
/** The same for tokens that are to be changed: of Patois' own, no more than one scope. */
const TARGET_SCOPES = { ...SCOPES, patois: ['patois:introspect'] };
const KNOWN_A_STATEMENT = 10_000;
const OTHERS_A_STATEMENT = 250_000;
/** From here on it is quicker to make the indexes anew. */
const MANY = 200_000;

/** Tokens whose values are known, and any number of others, in one store. */
export class Seeder {
  #client;
  #hashing;
  #makeToken;
  #organization;
  /** Tokens so far. */
  count = 0;

  /** @param store `{ url, tokenKeys }`, with its tables and its first administrator. */
  static async use({ url, tokenKeys }, work) {
    const { makeToken } = await fromPatois('tokens/token-format.js');
    const { HashingService } = await fromPatois('hashing/hashing.service.js');
    const { parseTokenKeys } = await fromPatois('config.js');
    return withClient(url, async (client) => {
      const seeder = new Seeder();
      seeder.#client = client;
      seeder.#hashing = new HashingService(parseTokenKeys(tokenKeys), 4);
      seeder.#makeToken = makeToken;
      const { rows } = await client.query(
        `SELECT id, organization_id, (SELECT count(*)::int FROM tokens) AS count FROM users WHERE login = 'admin'`,
      );
      seeder.#organization = rows[0].organization_id;
      seeder.administrator = rows[0].id;
      seeder.count = rows[0].count;
      // A commit that is lost with the machine is no loss here.
      await client.query('SET synchronous_commit = off');
      return work(seeder);
    });
  }

  /** Makes members of the first organization, and gives their uuids. */
  async addUsers(count, prefix = 'bench') {
    const { rows } = await this.#client.query(
      `INSERT INTO users (id, login, role, permissions, organization_id, disabled, created_at, updated_at)
       SELECT gen_random_uuid(), $1 || '-' || n, 'member', '{}', $2, false, now(), now()
       FROM generate_series(1, $3::int) n RETURNING id`,
      [prefix, this.#organization, count],
    );
    return rows.map(({ id }) => id);
  }

  /** Makes one token of a given owner and gives its value. */
  async addToken(ownerId, { dialect = 'patois', scopes = SCOPES[dialect], allowedCidrs = [] } = {}) {
    const [value] = await this.#insertKnown([{ ownerId, dialect, scopes, allowedCidrs }]);
    await this.#addLastUses();
    return value;
  }

  /**
   * Makes `count` tokens, of all dialects and owners in turn. The values of `known` of them, spread evenly, are made here
   * and given back; those of the others are known to nobody, as a store's are.
   */
  async addTokens(count, owners, known = count) {
    const values = [];
    const restoreIndexes = count - known > MANY ? await this.#dropIndexes() : async () => {};
    await this.#client.query(
      'CREATE TEMP TABLE IF NOT EXISTS bench_owners (n int PRIMARY KEY, id uuid NOT NULL)',
    );
    await this.#client.query('TRUNCATE bench_owners');
    await this.#client.query(
      'INSERT INTO bench_owners SELECT n - 1, id FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, n)',
      [owners],
    );
    const portions = Math.max(1, Math.ceil(count / OTHERS_A_STATEMENT), Math.ceil(known / KNOWN_A_STATEMENT));
    const part = (whole, portion) =>
      Math.floor((whole * (portion + 1)) / portions) - Math.floor((whole * portion) / portions);
    for (let portion = 0; portion < portions; portion += 1) {
      const fresh = Array.from({ length: part(known, portion) }, (_, index) => {
        const dialect = DIALECTS[index % DIALECTS.length];
        const ownerId = owners[(this.count + index) % owners.length];
        return { ownerId, dialect, scopes: SCOPES[dialect], allowedCidrs: [] };
      });
      values.push(...(await this.#insertKnown(fresh)));
      await this.#insertOthers(part(count, portion) - part(known, portion), owners.length);
    }
    await restoreIndexes();
    await this.#addLastUses();
    await this.#client.query('VACUUM ANALYZE tokens');
    await this.#client.query('VACUUM ANALYZE users');
    return values;
  }

  /** As {@link addTokens}, of 1,000 users, whom it makes as well. */
  async addTokensOfUsers(count, known = count, prefix = 'bench') {
    const owners = await this.addUsers(1000, prefix);
    return { owners, tokens: await this.addTokens(count, owners, known) };
  }

  /** Makes tokens of one owner and dialect to be changed, and gives the names and the value of each. */
  async addTargets(count, ownerId, dialect) {
    const { encodeObjectId } = await fromPatois('accounts/object-id.js');
    const { encodeId: encodePantherId } = await fromPatois('dialects/panther/panther.dialect.js');
    const targets = [];
    while (targets.length < count) {
      const length = Math.min(KNOWN_A_STATEMENT, count - targets.length);
      const token = { ownerId, dialect, scopes: TARGET_SCOPES[dialect], allowedCidrs: [] };
      const values = await this.#insertKnown(Array.from({ length }, () => token));
      const valueOf = new Map(values.map((value) => [value.slice(0, value.indexOf('_')), value]));
      const { rows } = await this.#client.query(
        'SELECT id, token_id, numeric_id, created_at FROM tokens WHERE token_id = ANY ($1)',
        [[...valueOf.keys()]],
      );
      for (const { id, token_id: tokenId, numeric_id: numericId, created_at: createdAt } of rows) {
        const [pantherId, losantId] = [encodePantherId(id), encodeObjectId(createdAt, id)];
        targets.push({ id, tokenId, numericId, pantherId, losantId, value: valueOf.get(tokenId) });
      }
    }
    return targets;
  }

  /** Leaves the tables as a store that has been at work for long has them. */
  async settle() {
    await this.#client.query('VACUUM ANALYZE');
    await this.#client.query('CHECKPOINT');
  }

  /** Every token has a row for its last use, from its beginning. */
  async #addLastUses() {
    await this.#client.query(
      'INSERT INTO last_uses (token_uuid) SELECT id FROM tokens ON CONFLICT (token_uuid) DO NOTHING',
    );
  }

  async #insertKnown(tokens) {
    if (tokens.length === 0) return [];
    const made = tokens.map((token) => {
      const { tokenId, value } = this.#makeToken();
      return { ...token, id: randomUUID(), tokenId, value, ...this.#hashing.digestToken(value) };
    });
    await this.#client.query(
      `INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
         created_at, digest, digest_key, dialect_fields)
       SELECT t.id, t.token_id, t.dialect, t.owner_id, $8, 'bench ' || ($9 + n), string_to_array(t.scopes, ' '),
         coalesce(string_to_array(nullif(t.cidrs, ''), ' '), '{}'), false,
         timestamptz '2025-01-01' + ($9 + n) * interval '1 second', t.digest, $10, '{}'
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::bytea[])
         WITH ORDINALITY AS t (id, token_id, dialect, owner_id, scopes, cidrs, digest, n)`,
      [
        made.map(({ id }) => id),
        made.map(({ tokenId }) => tokenId),
        made.map(({ dialect }) => dialect),
        made.map(({ ownerId }) => ownerId),
        made.map(({ scopes }) => scopes.join(' ')),
        made.map(({ allowedCidrs }) => allowedCidrs.join(' ')),
        made.map(({ digest }) => digest),
        this.#organization,
        this.count,
        made[0].keyName,
      ],
    );
    this.count += made.length;
    return made.map(({ value }) => value);
  }

  /** Tokens as the server itself can make them: random ids and digests. */
  async #insertOthers(count, owners) {
    if (count === 0) return;
    const dialects = DIALECTS.map((dialect) => `'${dialect}'`).join(',');
    const scopes = DIALECTS.map((dialect) => `'${SCOPES[dialect].join(' ')}'`).join(',');
    await this.#client.query(
      `INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
         created_at, digest, digest_key, dialect_fields)
       SELECT gen_random_uuid(),
         'pt-' || substr(translate(encode(sha256(uuid_send(gen_random_uuid())), 'base64'), '+/=', 'xyz'), 1, 12),
         (ARRAY[${dialects}])[1 + i % ${DIALECTS.length}], o.id, $3, 'bench ' || i,
         ARRAY[(ARRAY[${scopes}])[1 + i % ${DIALECTS.length}]], '{}', false,
         timestamptz '2025-01-01' + i * interval '1 second', sha256(uuid_send(gen_random_uuid())), 'bench', '{}'
       FROM generate_series($1::int, $2::int) i JOIN bench_owners o ON o.n = i % $4`,
      [this.count + 1, this.count + count, this.#organization, owners],
    );
    this.count += count;
  }

  /** Drops the indexes that are no constraint, and gives what makes them anew. */
  async #dropIndexes() {
    const { rows } = await this.#client.query(
      `SELECT indexname, indexdef FROM pg_indexes
       WHERE tablename = 'tokens' AND indexname NOT IN (SELECT conname FROM pg_constraint)`,
    );
    for (const { indexname } of rows) await this.#client.query(`DROP INDEX "${indexname}"`);
    return async () => {
      for (const { indexdef } of rows) await this.#client.query(indexdef);
    };
  }
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      tokens: { type: 'string', default: '100000' },
      users: { type: 'string', default: '1000' },
      known: { type: 'string' },
    },
  });
  const { DATABASE_URL: url, TOKEN_KEYS: tokenKeys } = process.env;
  if (!url || !tokenKeys) throw new Error('DATABASE_URL and TOKEN_KEYS say which store');
  const tokens = Number(options.tokens);
  const began = Date.now();
  const values = await Seeder.use({ url, tokenKeys }, async (seeder) => {
    const owners = await seeder.addUsers(Number(options.users), `seeded-${Date.now()}`);
    return seeder.addTokens(tokens, owners, Number(options.known ?? Math.min(tokens, 100_000)));
  });
  process.stdout.write(`${values.join('\n')}\n`);
  process.stderr.write(`${tokens} tokens in ${Math.round((Date.now() - began) / 1000)} s\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
