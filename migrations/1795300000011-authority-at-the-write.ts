import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a change reads again of its actor, and what a token issued. */
export class AuthorityAtTheWrite1795300000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "users" ADD "password_version" integer NOT NULL DEFAULT 0`);
    await queryRunner.query(
      `CREATE INDEX "tokens_created_by" ON "tokens" ("created_by_id") WHERE "created_by_type" = 'token'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX "tokens_created_by"`);
    await queryRunner.query(`ALTER TABLE "users" DROP COLUMN "password_version"`);
  }
}
