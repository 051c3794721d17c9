import type { MigrationInterface, QueryRunner } from 'typeorm';
import { briefly, OnlineSchema } from './online.js';

/**
 * Seals over the audit trail. Nothing of the events that are there is rewritten: they have neither ordinal nor code, and are
 * sealed by their time.
 */
export class AuditSeals1795300000019 implements MigrationInterface {
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // An attempt that was broken off may have come as far as this.
    if (!(await queryRunner.hasTable('audit_sealing')))
      await briefly(queryRunner, () => makeTables(queryRunner));
    await OnlineSchema.change(queryRunner, (schema) =>
      schema.createIndex('audit_events_ordinal', `ON "audit_events" ("ordinal")`),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['audit_sealing', 'audit_keys', 'audit_seals']) {
      await queryRunner.query(`DROP TABLE "${table}"`);
    }
    await queryRunner.query(`ALTER TABLE "audit_events" DROP "mac", DROP "ordinal"`);
    await queryRunner.query(`DROP SEQUENCE "audit_ordinals"`);
  }
}

async function makeTables(queryRunner: QueryRunner): Promise<void> {
  await queryRunner.query(`CREATE SEQUENCE "audit_ordinals"`);
  await queryRunner.query(`ALTER TABLE "audit_events" ADD "ordinal" bigint, ADD "mac" bytea`);
  await queryRunner.query(
    `ALTER TABLE "audit_events" ALTER "ordinal" SET DEFAULT nextval('audit_ordinals'::regclass)`,
  );
  await queryRunner.query(`
      CREATE TABLE "audit_seals" (
        "sequence" integer NOT NULL,
        "first_event" uuid NOT NULL,
        "last_event" uuid NOT NULL,
        "events" integer NOT NULL,
        "total_events" bigint NOT NULL,
        "root" text NOT NULL,
        "previous_root" text,
        "sealed_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "key" text NOT NULL,
        "signature" text NOT NULL,
        "through" bigint NOT NULL,
        "late_from" bigint,
        "newest_event_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "leaves" bytea,
        CONSTRAINT "audit_seals_pkey" PRIMARY KEY ("sequence")
      )`);
  // Hashes do not get smaller.
  await queryRunner.query(`ALTER TABLE "audit_seals" ALTER "leaves" SET STORAGE EXTERNAL`);
  await queryRunner.query(
    `CREATE INDEX "audit_seals_late" ON "audit_seals" ("late_from") WHERE "late_from" IS NOT NULL`,
  );
  await queryRunner.query(`
      CREATE TABLE "audit_keys" (
        "id" text NOT NULL,
        "x" text NOT NULL,
        "endorsed_by" text NOT NULL,
        "endorsement" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "audit_keys_pkey" PRIMARY KEY ("id")
      )`);
  await queryRunner.query(`
      CREATE TABLE "audit_sealing" (
        "id" integer NOT NULL,
        "sequence" integer NOT NULL,
        "root" text,
        "total_events" bigint NOT NULL,
        "through" bigint NOT NULL,
        "gaps" jsonb NOT NULL,
        "old_events" jsonb,
        "pruned" jsonb,
        CONSTRAINT "audit_sealing_pkey" PRIMARY KEY ("id")
      )`);
  await queryRunner.query(`
      INSERT INTO "audit_sealing" ("id", "sequence", "total_events", "through", "gaps") VALUES (1, 0, 0, 0, '[]')`);
}
