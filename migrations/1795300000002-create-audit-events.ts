import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAuditEvents1795300000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "audit_events" (
        "id" uuid NOT NULL,
        "time" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "actor_type" text NOT NULL,
        "actor_id" text,
        "action" text NOT NULL,
        "alias" text,
        "object_type" text NOT NULL,
        "object_id" text,
        "before" jsonb,
        "after" jsonb,
        "address" text,
        "user_agent" text,
        "request_id" text,
        CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
      )`);
    await queryRunner.query(`CREATE INDEX "audit_events_time" ON "audit_events" ("time", "id")`);
    await queryRunner.query(`CREATE INDEX "audit_events_actor" ON "audit_events" ("actor_id", "time", "id")`);
    await queryRunner.query(
      `CREATE INDEX "audit_events_object" ON "audit_events" ("object_id", "time", "id")`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "audit_events"`);
  }
}
