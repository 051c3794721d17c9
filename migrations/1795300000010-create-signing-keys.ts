import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSigningKeys1795300000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "signing_keys" (
        "generation" integer NOT NULL,
        "key_id" text NOT NULL,
        "certificate" text NOT NULL,
        "sealed_private_key" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "signs_from" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("generation")
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "signing_keys"`);
  }
}
