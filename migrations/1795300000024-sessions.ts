import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sign-ins of browsers. */
export class Sessions1795300000024 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "sessions" (
        "id" uuid NOT NULL,
        "digest" bytea NOT NULL,
        "user_id" uuid NOT NULL,
        "provider" text,
        "password_version" integer NOT NULL,
        "role" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "last_used_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "expires_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "address" text,
        "user_agent" text,
        CONSTRAINT "sessions_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "sessions_user_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id")
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX "sessions_digest" ON "sessions" ("digest")`);
    await queryRunner.query(`CREATE INDEX "sessions_user" ON "sessions" ("user_id", "created_at", "id")`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "sessions"`);
  }
}
