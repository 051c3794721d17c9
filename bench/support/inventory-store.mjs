// A store as an organization of many teams has it after some years, straight by SQL: owners with few tokens and with very
// many, tokens of every age and state, and an audit trail.
import { fromPatois } from './patois.mjs';
import { withClient } from './postgres.mjs';

export const DIALECTS = ['foreman', 'yunxiao', 'panther', 'quay', 'losant'];
/** Of an owner whose tokens are of one dialect, and of the one who has the most. */
const LISTED = 5_000;
const MOST = 50_000;
const ROWS_A_STATEMENT = 250_000;

/** The names of those whose lists are read: `list-<dialect>`, `most`, and one of each kind of administrator. */
export const PASSWORD = 'a password of the bench';

const USERS = `
  INSERT INTO users (id, login, role, permissions, organization_id, password_digest, disabled, created_at, updated_at)
  SELECT gen_random_uuid(), login, role, '{}', (SELECT id FROM bench_organizations o WHERE o.n = place % $2), $1, false,
    now(), now() FROM`;

const TOKENS = `
  INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, description, scopes, allowed_cidrs, inactive,
    expires_at, created_at, created_by_type, created_by_id, created_by_name, created_by_created_at, revoked_at,
    digest, digest_key, dialect_fields)
  SELECT gen_random_uuid(),
    'pt-' || substr(translate(encode(sha256(uuid_send(gen_random_uuid())), 'base64'), '+/=', 'xyz'), 1, 12),
    dialect, owner.id, owner.organization_id,
    (ARRAY['build','deploy','nightly','backup','report','import','export','monitor'])[1 + floor(a * 8)::int] || ' ' ||
      (ARRAY['Staging','production','test','eu','us'])[1 + floor(b * 5)::int] || ' ' || to_hex((c * 1e9)::int),
    CASE WHEN b < 0.3 THEN 'For team ' || to_hex((a * 1e6)::int) || ', see the wiki' END,
    CASE dialect WHEN 'foreman' THEN ARRAY['foreman:*']
      WHEN 'yunxiao' THEN CASE WHEN c < 0.5 THEN ARRAY['base_user_read'] ELSE ARRAY['base_user_read', 'base_group_read'] END
      WHEN 'panther' THEN CASE WHEN c < 0.5 THEN ARRAY['OrganizationAPITokenRead'] ELSE ARRAY['AlertRead', 'AlertModify'] END
      WHEN 'quay' THEN ARRAY['user:admin'] ELSE ARRAY['all.User'] END,
    CASE WHEN a < 0.2 THEN ARRAY['10.' || floor(b * 256)::int || '.0.0/16'] ELSE '{}' END, c < 0.02,
    CASE WHEN b < 0.7 THEN now() + (c - 0.4) * interval '900 days' END,
    now() - (1 - i::float8 / $3) * interval '1100 days', 'user', owner.id, owner.login, owner.created_at,
    CASE WHEN a > 0.9 THEN now() - b * interval '300 days' END, sha256(uuid_send(gen_random_uuid())), 'bench', '{}'
  FROM (SELECT i, random() AS a, random() AS b, random() AS c, random() AS d,
      (ARRAY['foreman','yunxiao','panther','quay','losant'])[1 + i % 5] AS dialect
    FROM generate_series($1::int, $2::int) i OFFSET 0) AS rolled
  JOIN bench_owners owner ON owner.n = `;

/**
 * Fills an empty store that Patois was started on once.
 *
 * @param size `{ tokens, owners, organizations, events }`.
 */
export async function fillInventory(url, { tokens, owners, organizations, events }, say) {
  const { HashingService } = await fromPatois('hashing/hashing.service.js');
  const { parseTokenKeys } = await fromPatois('config.js');
  const hashing = new HashingService(parseTokenKeys(`bench:${Buffer.alloc(32).toString('base64')}`), 4);
  const digest = await hashing.hashPassword(PASSWORD);
  await withClient(url, async (client) => {
    const run = (text, values = []) => client.query(text, values);
    await run('SET synchronous_commit = off');
    await run(`UPDATE users SET password_digest = $1 WHERE login = 'admin'`, [digest]);
    await run(
      `WITH made AS (INSERT INTO organizations (id, name, created_at)
         SELECT gen_random_uuid(), 'Team ' || n, now() FROM generate_series(0, $1::int - 1) n RETURNING id)
       INSERT INTO policies (organization_id, allow_non_expiring, allowed_cidrs, require_cidrs, default_grace_seconds,
         on_reuse, on_leak, version, updated_at)
       SELECT id, true, '{}', false, 0, 'alert', 'revoke', 1, now() FROM made`,
      [organizations],
    );
    await run(`CREATE TEMP TABLE bench_organizations AS
      SELECT id, substr(name, 6)::int AS n FROM organizations WHERE name LIKE 'Team %'`);
    await run(
      `${USERS} (SELECT 'owner-' || n AS login, 'member' AS role, n AS place FROM generate_series(1, $3::int) n) AS people`,
      [digest, organizations, owners],
    );
    await run(
      `${USERS} (SELECT 'list-' || dialect AS login, 'member' AS role, 1 AS place FROM unnest($3::text[]) dialect
         UNION ALL SELECT 'most', 'member', 2 UNION ALL SELECT 'head', 'organizationAdministrator', 1) AS people`,
      [digest, organizations, DIALECTS],
    );
    await run(
      `CREATE TEMP TABLE bench_owners (n int PRIMARY KEY, id uuid, organization_id uuid, login text, created_at timestamptz)`,
    );
    await run(`INSERT INTO bench_owners SELECT substr(login, 7)::int - 1, id, organization_id, login, created_at
      FROM users WHERE login LIKE 'owner-%'`);
    await run(
      `INSERT INTO bench_owners SELECT -ordinality, id, organization_id, login, created_at
      FROM unnest($1::text[]) WITH ORDINALITY AS l (login, ordinality) JOIN users USING (login)`,
      [['most', ...DIALECTS.map((dialect) => `list-${dialect}`)]],
    );
    await run('ANALYZE bench_owners');
    const restore = await dropIndexes(client);
    const special = MOST + LISTED * DIALECTS.length;
    const rest = tokens - special;
    for (let made = 0; made < rest; made += ROWS_A_STATEMENT) {
      // Few owners have many tokens, and many few.
      const owner = `floor(${owners} * power(d, 1.5))::int`;
      await run(TOKENS + owner, [made, Math.min(made + ROWS_A_STATEMENT, rest) - 1, tokens]);
      say(`${made} tokens`);
    }
    await run(`${TOKENS} -1`, [rest, rest + MOST - 1, tokens]);
    // Every fifth is of each dialect, in turn.
    await run(`${TOKENS} -2 - i % 5`, [rest + MOST, tokens - 1, tokens]);
    await run(`
      INSERT INTO last_uses (token_uuid, used_at, used_slot, address, user_agent)
      SELECT t.id, u.at, coalesce(floor(extract(epoch FROM u.at) / 900)::int, 0), CASE WHEN u.at IS NOT NULL THEN '203.0.113.' || (random() * 255)::int END,
        CASE WHEN u.at IS NOT NULL THEN 'client/1.' || (random() * 20)::int END
      FROM (SELECT id, created_at, random() AS a, random() AS b FROM tokens OFFSET 0) t,
        LATERAL (SELECT CASE WHEN t.a > 0.3 THEN greatest(t.created_at, now() - power(t.b, 3) * interval '400 days') END AS at) u`);
    say('Indexes of tokens');
    await restore();
    const restoreEvents = await dropIndexes(client, 'audit_events');
    await run(
      `INSERT INTO audit_events (id, time, actor_type, actor_id, action, object_type, object_id, after, address, user_agent,
         request_id)
       SELECT gen_random_uuid(), t.created_at + e * interval '1 day', 'user', t.owner_id::text,
         (ARRAY['token.create','token.update','token.rotate','token.revoke'])[e + 1], 'token', t.token_id,
         json_build_object('name', t.name, 'scopes', t.scopes), '203.0.113.' || (random() * 255)::int, 'client/1.0',
         gen_random_uuid()::text
       FROM tokens t, generate_series(0, ceil($1::float8 / $2::float8)::int - 1) e LIMIT $1::float8::int8`,
      [events, tokens],
    );
    say('Indexes of audit events');
    await restoreEvents();
    await run('VACUUM ANALYZE');
    await run('CHECKPOINT');
  });
}

/** Drops the indexes that are no constraint, and gives what makes them anew. */
async function dropIndexes(client, table = 'tokens') {
  const { rows } = await client.query(
    `SELECT indexname, indexdef FROM pg_indexes
     WHERE tablename = $1 AND indexname NOT IN (SELECT conname FROM pg_constraint)`,
    [table],
  );
  for (const { indexname } of rows) await client.query(`DROP INDEX "${indexname}"`);
  return async () => {
    for (const { indexdef } of rows) await client.query(indexdef);
  };
}
