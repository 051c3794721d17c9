import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whom identity providers know our users as. */
export class Identities1795300000025 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "identities" (
        "id" uuid NOT NULL,
        "issuer" text NOT NULL,
        "subject" text NOT NULL,
        "user_id" uuid NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "last_used_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "identities_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "identities_user_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id")
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX "identities_subject" ON "identities" ("issuer", "subject")`);
    await queryRunner.query(`CREATE UNIQUE INDEX "identities_user" ON "identities" ("user_id", "issuer")`);
    // Whom an identity may be linked to is looked up by the address.
    await queryRunner.query(
      `CREATE INDEX "users_email" ON "users" (lower("email")) WHERE "email" IS NOT NULL AND "deleted_at" IS NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX "users_email"`);
    await queryRunner.query(`DROP TABLE "identities"`);
  }
}
