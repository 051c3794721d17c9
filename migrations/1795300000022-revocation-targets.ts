import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tokens that a job is to revoke, as they were found when it began. */
export class RevocationTargets1795300000022 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Of jobs and tokens alike rows may go without this one: what is left behind is deleted by a task.
    await queryRunner.query(`
      CREATE TABLE "revocation_targets" (
        "job_id" uuid NOT NULL,
        "token_uuid" uuid NOT NULL,
        CONSTRAINT "revocation_targets_pkey" PRIMARY KEY ("job_id", "token_uuid")
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "revocation_targets"`);
  }
}
