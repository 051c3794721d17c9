import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Calls that their callers may repeat. */
export class IdempotencyRecords1795300000017 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "idempotency_records" (
        "id" bytea NOT NULL,
        "fingerprint" bytea NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "sealed_outcome" text,
        CONSTRAINT "idempotency_records_pkey" PRIMARY KEY ("id")
      )`);
    await queryRunner.query(
      `CREATE INDEX "idempotency_records_created" ON "idempotency_records" ("created_at")`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "idempotency_records"`);
  }
}
