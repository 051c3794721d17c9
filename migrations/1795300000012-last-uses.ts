import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Last uses leave the table of tokens: ten indexes made each of them dear. */
export class LastUses1795300000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "last_uses" (
        "token_uuid" uuid NOT NULL,
        "used_at" TIMESTAMP(3) WITH TIME ZONE,
        "address" text,
        "user_agent" text,
        CONSTRAINT "last_uses_pkey" PRIMARY KEY ("token_uuid")
      ) WITH (fillfactor = 50)`);
    await queryRunner.query(`
      INSERT INTO "last_uses" ("token_uuid", "used_at", "address", "user_agent")
      SELECT "id", "last_used_at", "last_used_address", "last_used_user_agent" FROM "tokens"`);
    await queryRunner.query(`
      ALTER TABLE "tokens" DROP COLUMN "last_used_at", DROP COLUMN "last_used_address",
        DROP COLUMN "last_used_user_agent"`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE "tokens" ADD "last_used_at" TIMESTAMP(3) WITH TIME ZONE, ADD "last_used_address" text,
        ADD "last_used_user_agent" text`);
    await queryRunner.query(`
      UPDATE "tokens" SET "last_used_at" = u."used_at", "last_used_address" = u."address",
        "last_used_user_agent" = u."user_agent"
      FROM "last_uses" u WHERE u."token_uuid" = "tokens"."id"`);
    await queryRunner.query(`DROP TABLE "last_uses"`);
  }
}
