import type { MigrationInterface, QueryRunner } from 'typeorm';
import { briefly, OnlineSchema } from './online.js';

/** Whom identity providers know our users as. */
export class Identities1795300000025 implements MigrationInterface {
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // An attempt that was broken off may have come as far as this.
    if (!(await queryRunner.hasTable('identities')))
      await briefly(queryRunner, () => makeTables(queryRunner));
    await OnlineSchema.change(queryRunner, (schema) =>
      // Whom an identity may be linked to is looked up by the address.
      schema.createIndex(
        'users_email',
        `ON "users" (lower("email")) WHERE "email" IS NOT NULL AND "deleted_at" IS NULL`,
      ),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX "users_email"`);
    await queryRunner.query(`DROP TABLE "identities"`);
  }
}

async function makeTables(queryRunner: QueryRunner): Promise<void> {
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
}
