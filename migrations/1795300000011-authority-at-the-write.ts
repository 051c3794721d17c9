import type { MigrationInterface, QueryRunner } from 'typeorm';
import { briefly, OnlineSchema } from './online.js';

/** What a change reads again of its actor, and what a token issued. */
export class AuthorityAtTheWrite1795300000011 implements MigrationInterface {
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await briefly(queryRunner, () =>
      queryRunner.query(
        `ALTER TABLE "users" ADD COLUMN IF NOT EXISTS "password_version" integer NOT NULL DEFAULT 0`,
      ),
    );
    await OnlineSchema.change(queryRunner, (schema) =>
      schema.createIndex(
        'tokens_created_by',
        `ON "tokens" ("created_by_id") WHERE "created_by_type" = 'token'`,
      ),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX "tokens_created_by"`);
    await queryRunner.query(`ALTER TABLE "users" DROP COLUMN "password_version"`);
  }
}
