import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTokens1795300000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "tokens" (
        "id" uuid NOT NULL,
        "numeric_id" SERIAL NOT NULL,
        "token_id" text NOT NULL,
        "dialect" text NOT NULL,
        "owner_id" uuid NOT NULL,
        "organization_id" uuid NOT NULL,
        "name" text NOT NULL,
        "unique_name" text,
        "description" text,
        "scopes" text array NOT NULL,
        "allowed_cidrs" text array NOT NULL,
        "inactive" boolean NOT NULL,
        "expires_at" TIMESTAMP(3) WITH TIME ZONE,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "created_by_type" text,
        "created_by_id" uuid,
        "created_by_name" text,
        "created_by_created_at" TIMESTAMP(3) WITH TIME ZONE,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE,
        "updated_by_type" text,
        "updated_by_id" uuid,
        "updated_by_name" text,
        "updated_by_created_at" TIMESTAMP(3) WITH TIME ZONE,
        "rotated_at" TIMESTAMP(3) WITH TIME ZONE,
        "last_used_at" TIMESTAMP(3) WITH TIME ZONE,
        "last_used_address" text,
        "last_used_user_agent" text,
        "revoked_at" TIMESTAMP(3) WITH TIME ZONE,
        "revoked_by_type" text,
        "revoked_by_id" uuid,
        "revoked_by_name" text,
        "revoked_by_created_at" TIMESTAMP(3) WITH TIME ZONE,
        "revoke_reason" text,
        "digest" bytea NOT NULL,
        "digest_key" text NOT NULL,
        "previous_digest" bytea,
        "previous_digest_key" text,
        "previous_valid_until" TIMESTAMP(3) WITH TIME ZONE,
        "sealed_value" text,
        "dialect_fields" jsonb NOT NULL,
        CONSTRAINT "tokens_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "tokens_owner_fkey" FOREIGN KEY ("owner_id") REFERENCES "users" ("id")
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX "tokens_token_id" ON "tokens" ("token_id")`);
    await queryRunner.query(`CREATE UNIQUE INDEX "tokens_numeric_id" ON "tokens" ("numeric_id")`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX "tokens_unique_name" ON "tokens" ("owner_id", "unique_name")`,
    );
    await queryRunner.query(
      `CREATE INDEX "tokens_owner" ON "tokens" ("owner_id", "dialect", "created_at", "id")`,
    );
    await queryRunner.query(
      `CREATE INDEX "tokens_owner_numeric" ON "tokens" ("owner_id", "dialect", "numeric_id")`,
    );
    await queryRunner.query(
      `CREATE INDEX "tokens_organization" ON "tokens" ("organization_id", "dialect", "created_at", "id")`,
    );
    await queryRunner.query(`CREATE INDEX "tokens_created" ON "tokens" ("created_at", "id")`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "tokens"`);
  }
}
