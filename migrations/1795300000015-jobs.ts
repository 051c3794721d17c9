import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Long work that any replica takes up again. What was left to do for deleted users becomes jobs. */
export class Jobs1795300000015 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "jobs" (
        "id" uuid NOT NULL,
        "kind" text NOT NULL,
        "status" text NOT NULL,
        "input" jsonb NOT NULL,
        "state" jsonb,
        "total" integer,
        "done" integer NOT NULL,
        "failed" integer NOT NULL,
        "result" jsonb,
        "problem" text,
        "organization_id" uuid,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "created_by" jsonb NOT NULL,
        "started_at" TIMESTAMP(3) WITH TIME ZONE,
        "ended_at" TIMESTAMP(3) WITH TIME ZONE,
        "due_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "lease_owner" uuid,
        "attempts" integer NOT NULL,
        CONSTRAINT "jobs_pkey" PRIMARY KEY ("id")
      )`);
    await queryRunner.query(`CREATE INDEX "jobs_created" ON "jobs" ("created_at", "id")`);
    await queryRunner.query(
      `CREATE INDEX "jobs_organization" ON "jobs" ("organization_id", "created_at", "id")`,
    );
    await queryRunner.query(`CREATE INDEX "jobs_due" ON "jobs" ("due_at") WHERE "ended_at" IS NULL`);
    await queryRunner.query(`
      INSERT INTO "jobs" ("id", "kind", "status", "input", "done", "failed", "organization_id", "created_at", "created_by",
        "due_at", "attempts")
      SELECT gen_random_uuid(), 'owner-deletion', 'waiting', jsonb_build_object('userId', d."user_id"), 0, 0,
        u."organization_id", now(), d."actor", now(), 0
      FROM "deleted_owners" d LEFT JOIN "users" u ON u."id" = d."user_id"`);
    await queryRunner.query(`DROP TABLE "deleted_owners"`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "deleted_owners" (
        "user_id" uuid NOT NULL,
        "actor" jsonb NOT NULL,
        CONSTRAINT "deleted_owners_pkey" PRIMARY KEY ("user_id")
      )`);
    await queryRunner.query(`
      INSERT INTO "deleted_owners" ("user_id", "actor")
      SELECT ("input"->>'userId')::uuid, "created_by" FROM "jobs" WHERE "kind" = 'owner-deletion' AND "ended_at" IS NULL`);
    await queryRunner.query(`DROP TABLE "jobs"`);
  }
}
