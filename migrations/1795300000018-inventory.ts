import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As much of the driver's connection as is used here. */
interface Connection {
  query(query: { text: string; query_timeout: number }): Promise<{ rows: Record<string, string>[] }>;
}

/** The indexes of a million tokens take half a minute: more than a statement otherwise may. */
const STATEMENT_MS = 6 * 3_600_000;

/** Lists of tokens that are read along an index, by each of their orders and for all or one organization. */
export class Inventory1795300000018 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const connection = (await queryRunner.connect()) as Connection;
    const run = async (text: string): Promise<Record<string, string>[]> =>
      (await connection.query({ text, query_timeout: STATEMENT_MS })).rows;
    await run(`SET LOCAL statement_timeout = 0`);
    await run(`CREATE INDEX "tokens_name" ON "tokens" (lower("name"), "id")`);
    await run(`CREATE INDEX "tokens_organization_name" ON "tokens" ("organization_id", lower("name"), "id")`);
    await run(`CREATE INDEX "tokens_expiry" ON "tokens" ("expires_at", "id")`);
    await run(
      `CREATE INDEX "tokens_organization_expiry" ON "tokens" ("organization_id", "expires_at", "id")`,
    );
    await run(
      `CREATE INDEX "tokens_organization_created" ON "tokens" ("organization_id", "created_at", "id")`,
    );
    await run(`CREATE INDEX "tokens_scopes" ON "tokens" USING gin ("scopes")`);
    await run(`DROP INDEX "tokens_created_by"`);
    await run(`CREATE INDEX "tokens_created_by" ON "tokens" ("created_by_id")`);
    await indexText(run);
    // A use is written up to once a minute. Its quarter of an hour changes more seldom, and what does not change it is
    // written without a word to any index.
    await run(`ALTER TABLE "last_uses" ADD "used_slot" integer NOT NULL DEFAULT 0`);
    await run(
      `UPDATE "last_uses" SET "used_slot" = floor(extract(epoch from "used_at") / 900) WHERE "used_at" IS NOT NULL`,
    );
    await run(`
      INSERT INTO "last_uses" ("token_uuid") SELECT "id" FROM "tokens" ON CONFLICT ("token_uuid") DO NOTHING`);
    await run(`CREATE INDEX "last_uses_slot" ON "last_uses" ("used_slot", "token_uuid")`);
    await run(`CREATE INDEX "audit_events_action" ON "audit_events" ("action", "time", "id")`);
    await run(
      `CREATE INDEX "audit_events_alias" ON "audit_events" ("alias", "time", "id") WHERE "alias" IS NOT NULL`,
    );
    await run(`CREATE INDEX "audit_events_address" ON "audit_events" ("address", "time", "id")`);
    await run(`CREATE INDEX "audit_events_request" ON "audit_events" ("request_id")`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['action', 'alias', 'address', 'request']) {
      await queryRunner.query(`DROP INDEX "audit_events_${name}"`);
    }
    await queryRunner.query(`DROP INDEX "last_uses_slot"`);
    await queryRunner.query(`ALTER TABLE "last_uses" DROP COLUMN "used_slot"`);
    await queryRunner.query(`DROP INDEX IF EXISTS "tokens_text"`);
    await queryRunner.query(`DROP INDEX "tokens_created_by"`);
    await queryRunner.query(
      `CREATE INDEX "tokens_created_by" ON "tokens" ("created_by_id") WHERE "created_by_type" = 'token'`,
    );
    const others = [
      'name',
      'organization_name',
      'expiry',
      'organization_expiry',
      'organization_created',
      'scopes',
    ];
    for (const name of others) await queryRunner.query(`DROP INDEX "tokens_${name}"`);
  }
}

/**
 * The index that finds a part of a text, where the server has pg_trgm and lets it be created; without it every token is
 * looked at. The extension stays: it may be another's.
 */
async function indexText(run: (text: string) => Promise<Record<string, string>[]>): Promise<void> {
  await run(`
    DO $$ BEGIN
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN OTHERS THEN
      RAISE NOTICE 'Without pg_trgm: %', SQLERRM;
    END $$`);
  const [found] = await run(`
    SELECT quote_ident(n.nspname) AS schema FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace
    WHERE c.opcname = 'gin_trgm_ops'`);
  if (!found) return;
  await run(`
    CREATE INDEX "tokens_text" ON "tokens" USING gin (
      lower("name" || E'\\n' || coalesce("description", '') || E'\\n' || "token_id") ${found['schema']}.gin_trgm_ops)`);
}
