import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rotation with a grace that the first use of the new value ends, and values that stay known after it. */
export class Rotation1795300000016 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `ALTER TABLE "tokens" ADD COLUMN "retires_on_first_use" boolean NOT NULL DEFAULT false`,
    );
    await queryRunner.query(`
      CREATE TABLE "retired_values" (
        "token_uuid" uuid NOT NULL,
        "digest" bytea NOT NULL,
        "digest_key" text NOT NULL,
        "retired_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "reused_at" TIMESTAMP(3) WITH TIME ZONE,
        CONSTRAINT "retired_values_pkey" PRIMARY KEY ("token_uuid", "digest")
      )`);
    await queryRunner.query(`CREATE INDEX "retired_values_retired_at" ON "retired_values" ("retired_at")`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "retired_values"`);
    await queryRunner.query(`ALTER TABLE "tokens" DROP COLUMN "retires_on_first_use"`);
  }
}
