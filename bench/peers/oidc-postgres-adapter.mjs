import pg from 'pg';

/** The adapter that oidc-provider asks for, over one table; every statement is prepared once a connection. */
export async function postgresAdapter(connectionString) {
  const pool = new pg.Pool({ connectionString });
  await pool.query(`
    CREATE TABLE IF NOT EXISTS oidc_payloads (
      model text NOT NULL, id text NOT NULL, payload jsonb NOT NULL, grant_id text, user_code text, uid text,
      expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (model, id)
    )`);
  await pool.query('CREATE INDEX IF NOT EXISTS oidc_payloads_grant ON oidc_payloads (grant_id)');

  const read = async (name, where, values) => {
    const text = `SELECT payload, expires_at, consumed_at FROM oidc_payloads WHERE model = $1 AND ${where}`;
    const { rows } = await pool.query({ name, text, values });
    const [row] = rows;
    if (!row || (row.expires_at !== null && row.expires_at <= new Date())) return undefined;
    return { ...row.payload, ...(row.consumed_at && { consumed: true }) };
  };

  return class PostgresAdapter {
    constructor(model) {
      this.model = model;
    }

    async upsert(id, payload, expiresIn) {
      await pool.query({
        name: 'upsert',
        text: `INSERT INTO oidc_payloads (model, id, payload, grant_id, user_code, uid, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
               ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
        values: [
          this.model,
          id,
          payload,
          payload.grantId ?? null,
          payload.userCode ?? null,
          payload.uid ?? null,
          expiresIn ?? null,
        ],
      });
    }

    find(id) {
      return read('find', 'id = $2', [this.model, id]);
    }

    findByUserCode(userCode) {
      return read('findByUserCode', 'user_code = $2', [this.model, userCode]);
    }

    findByUid(uid) {
      return read('findByUid', 'uid = $2', [this.model, uid]);
    }

    async consume(id) {
      await pool.query('UPDATE oidc_payloads SET consumed_at = now() WHERE model = $1 AND id = $2', [
        this.model,
        id,
      ]);
    }

    async destroy(id) {
      await pool.query('DELETE FROM oidc_payloads WHERE model = $1 AND id = $2', [this.model, id]);
    }

    async revokeByGrantId(grantId) {
      await pool.query('DELETE FROM oidc_payloads WHERE grant_id = $1', [grantId]);
    }
  };
}
