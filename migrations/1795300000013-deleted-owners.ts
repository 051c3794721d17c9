import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Deleted users whose tokens are marked as revoked in portions, after the answer. */
export class DeletedOwners1795300000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "deleted_owners" (
        "user_id" uuid NOT NULL,
        "actor" jsonb NOT NULL,
        CONSTRAINT "deleted_owners_pkey" PRIMARY KEY ("user_id")
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "deleted_owners"`);
  }
}
