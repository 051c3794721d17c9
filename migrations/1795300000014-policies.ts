import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A policy for every organization: of those that are there already one that allows all that was allowed. */
export class Policies1795300000014 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "policies" (
        "organization_id" uuid NOT NULL,
        "max_lifetime_seconds" integer,
        "default_lifetime_seconds" integer,
        "allow_non_expiring" boolean NOT NULL,
        "max_unused_seconds" integer,
        "max_tokens_per_user" integer,
        "allowed_cidrs" text array NOT NULL,
        "require_cidrs" boolean NOT NULL,
        "default_grace_seconds" integer NOT NULL,
        "on_reuse" text NOT NULL,
        "on_leak" text NOT NULL,
        "version" integer NOT NULL,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "policies_pkey" PRIMARY KEY ("organization_id"),
        CONSTRAINT "policies_organization_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id")
      )`);
    await queryRunner.query(`
      INSERT INTO "policies" ("organization_id", "allow_non_expiring", "allowed_cidrs", "require_cidrs",
        "default_grace_seconds", "on_reuse", "on_leak", "version", "updated_at")
      SELECT "id", true, '{}', false, 0, 'alert', 'revoke', 1, now() FROM "organizations"`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "policies"`);
  }
}
