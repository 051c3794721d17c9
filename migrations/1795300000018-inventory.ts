import type { MigrationInterface, QueryRunner } from 'typeorm';
import { briefly, OnlineSchema } from './online.js';

/** Lists of tokens that are read along an index, by each of their orders and for all or one organization. */
export class Inventory1795300000018 implements MigrationInterface {
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await OnlineSchema.change(queryRunner, async (schema) => {
      await schema.createIndex('tokens_name', `ON "tokens" (lower("name"), "id")`);
      await schema.createIndex(
        'tokens_organization_name',
        `ON "tokens" ("organization_id", lower("name"), "id")`,
      );
      await schema.createIndex('tokens_expiry', `ON "tokens" ("expires_at", "id")`);
      await schema.createIndex(
        'tokens_organization_expiry',
        `ON "tokens" ("organization_id", "expires_at", "id")`,
      );
      await schema.createIndex(
        'tokens_organization_created',
        `ON "tokens" ("organization_id", "created_at", "id")`,
      );
      await schema.createIndex('tokens_scopes', `ON "tokens" USING gin ("scopes")`);
      await widenCreatedBy(schema, queryRunner);
      await indexText(schema);
      await addUsedSlot(schema, queryRunner);
      await schema.createIndex('audit_events_action', `ON "audit_events" ("action", "time", "id")`);
      await schema.createIndex(
        'audit_events_alias',
        `ON "audit_events" ("alias", "time", "id") WHERE "alias" IS NOT NULL`,
      );
      await schema.createIndex('audit_events_address', `ON "audit_events" ("address", "time", "id")`);
      await schema.createIndex('audit_events_request', `ON "audit_events" ("request_id")`);
    });
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

/** From what tokens have made to what anybody has. What replicas ask meanwhile goes by one of the two. */
async function widenCreatedBy(schema: OnlineSchema, queryRunner: QueryRunner): Promise<void> {
  const [old] = await schema.run(
    `SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('"tokens_created_by"') AND indpred IS NOT NULL`,
  );
  if (old) {
    await schema.createIndex('tokens_created_by_all', `ON "tokens" ("created_by_id")`);
    await schema.dropIndex('tokens_created_by');
  }
  await briefly(queryRunner, () =>
    queryRunner.query(`ALTER INDEX IF EXISTS "tokens_created_by_all" RENAME TO "tokens_created_by"`),
  );
}

/**
 * The index that finds a part of a text, where the server has pg_trgm and lets it be created; without it every token is
 * looked at. The extension stays: it may be another's.
 */
async function indexText(schema: OnlineSchema): Promise<void> {
  await schema.run(`
    DO $$ BEGIN
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN OTHERS THEN
      RAISE NOTICE 'Without pg_trgm: %', SQLERRM;
    END $$`);
  const [found] = await schema.run<{ schema: string }>(`
    SELECT quote_ident(n.nspname) AS schema FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace
    WHERE c.opcname = 'gin_trgm_ops'`);
  if (!found) return;
  await schema.createIndex(
    'tokens_text',
    `ON "tokens" USING gin (
      lower("name" || E'\\n' || coalesce("description", '') || E'\\n' || "token_id") ${found.schema}.gin_trgm_ops)`,
  );
}

/**
 * A use is written up to once a minute. Its quarter of an hour changes more seldom, and what does not change it is written
 * without a word to any index.
 */
async function addUsedSlot(schema: OnlineSchema, queryRunner: QueryRunner): Promise<void> {
  await briefly(queryRunner, () =>
    queryRunner.query(`ALTER TABLE "last_uses" ADD IF NOT EXISTS "used_slot" integer NOT NULL DEFAULT 0`),
  );
  await schema.inPortions(
    (rows) => `
      UPDATE "last_uses" SET "used_slot" = floor(extract(epoch from "used_at") / 900)
      WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM "last_uses" WHERE "used_slot" = 0 AND "used_at" >= to_timestamp(900) LIMIT ${rows}
        FOR UPDATE))`,
  );
  await schema.inPortions(
    (rows) => `
      INSERT INTO "last_uses" ("token_uuid")
      SELECT "id" FROM "tokens" t
      WHERE NOT EXISTS (SELECT FROM "last_uses" u WHERE u."token_uuid" = t."id") LIMIT ${rows}
      ON CONFLICT ("token_uuid") DO NOTHING`,
  );
  await schema.createIndex('last_uses_slot', `ON "last_uses" ("used_slot", "token_uuid")`);
}
