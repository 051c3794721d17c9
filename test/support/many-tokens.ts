import { DataSource } from 'typeorm';
import { slotOf } from '../../src/tokens/token.entity.js';
import type { TestServer, TestUser } from './server.js';

const DAY_MS = 86_400_000;

/** Days before now, or from now on where it expires. */
export interface Life {
  made: number;
  used?: number;
  expires?: number;
  isRevoked?: true;
  inactive?: true;
  isConfined?: true;
  dialect?: string;
}

/** Issues a token that has lived so. */
export async function makeLife(server: TestServer, { user }: TestUser, life: Life): Promise<void> {
  const { made, used, expires, isRevoked, inactive = false, isConfined, dialect = 'patois' } = life;
  const dataSource = server.app.nest.get(DataSource);
  const allowedCidrs = isConfined ? ['10.0.0.0/8'] : [];
  const { token } = await server.issue({ ownerId: user.id, dialect, inactive, allowedCidrs });
  if (isRevoked) await server.revoke(token);
  await dataSource.query(`UPDATE tokens SET created_at = $2, expires_at = $3 WHERE id = $1`, [
    token.id,
    daysFromNow(-made),
    expires === undefined ? null : daysFromNow(expires),
  ]);
  if (used === undefined) return;
  const usedAt = daysFromNow(-used);
  await dataSource.query(`UPDATE last_uses SET used_at = $2, used_slot = $3 WHERE token_uuid = $1`, [
    token.id,
    usedAt,
    slotOf(usedAt.getTime()),
  ]);
}

/** Writes tokens of nobody's value into the store, quickly: `<name> 1`, the newest, to `<name> <count>`. */
export async function makeManyTokens(
  server: TestServer,
  { user }: TestUser,
  name: string,
  count: number,
): Promise<void> {
  await server.app.nest.get(DataSource).query(
    `WITH made AS (INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', $1, $2,
       $3 || ' ' || n, '{}', '{}', false, now() - n * interval '1 minute', '{}' FROM generate_series(1, $4::int) AS n
     RETURNING id)
     INSERT INTO last_uses (token_uuid) SELECT id FROM made`,
    [user.id, user.organizationId, name, count],
  );
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}
