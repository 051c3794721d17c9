import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tokens that come from other systems with nothing but the hashes of their values. */
export class Imports1795300000021 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "imported_values" (
        "token_uuid" uuid NOT NULL,
        "organization_id" uuid NOT NULL,
        "source" text NOT NULL,
        "foreign_key" text NOT NULL,
        "foreign_id" text,
        "fingerprint" bytea NOT NULL,
        "kind" text NOT NULL,
        "lookup" bytea,
        "hash" text,
        "imported_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "used_at" TIMESTAMP(3) WITH TIME ZONE,
        CONSTRAINT "imported_values_pkey" PRIMARY KEY ("token_uuid")
      )`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX "imported_values_foreign_key" ON "imported_values" ("source", "organization_id", "foreign_key")`,
    );
    await queryRunner.query(
      `CREATE UNIQUE INDEX "imported_values_fingerprint" ON "imported_values" ("fingerprint")`,
    );
    await queryRunner.query(`CREATE INDEX "imported_values_lookup" ON "imported_values" ("lookup")`);
    await queryRunner.query(`
      CREATE TABLE "imported_forms" (
        "kind" text NOT NULL,
        "detail" text NOT NULL,
        "sealed_key" text,
        CONSTRAINT "imported_forms_pkey" PRIMARY KEY ("kind", "detail")
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "imported_forms"`);
    await queryRunner.query(`DROP TABLE "imported_values"`);
  }
}
