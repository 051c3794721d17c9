import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is told of what happens to tokens, and what is to be sent. */
export class Notices1795300000020 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "notice_channels" (
        "id" uuid NOT NULL,
        "organization_id" uuid,
        "kind" text NOT NULL,
        "target" text NOT NULL,
        "events" text array NOT NULL,
        "enabled" boolean NOT NULL,
        "disabled_reason" text,
        "sealed_secret" text,
        "sealed_previous_secret" text,
        "previous_secret_until" TIMESTAMP(3) WITH TIME ZONE,
        "failures" integer NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "notice_channels_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "notice_channels_organization_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id")
      )`);
    await queryRunner.query(
      `CREATE INDEX "notice_channels_created" ON "notice_channels" ("created_at", "id")`,
    );
    await queryRunner.query(`
      CREATE TABLE "notice_deliveries" (
        "id" uuid NOT NULL,
        "sequence" BIGSERIAL NOT NULL,
        "queue_id" uuid NOT NULL,
        "channel_id" uuid,
        "event" text NOT NULL,
        "token_id" text,
        "occasion" text,
        "data" jsonb NOT NULL,
        "status" text NOT NULL,
        "attempts" integer NOT NULL,
        "occurred_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "queued_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "due_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "lease_owner" uuid,
        "attempted_at" TIMESTAMP(3) WITH TIME ZONE,
        "ended_at" TIMESTAMP(3) WITH TIME ZONE,
        "response_status" integer,
        "error" text,
        CONSTRAINT "notice_deliveries_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "notice_deliveries_channel_fkey" FOREIGN KEY ("channel_id") REFERENCES "notice_channels" ("id")
          ON DELETE CASCADE
      )`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX "notice_deliveries_once" ON "notice_deliveries" ("queue_id", "token_id", "event", "occasion")`,
    );
    await queryRunner.query(
      `CREATE INDEX "notice_deliveries_channel" ON "notice_deliveries" ("channel_id", "queued_at", "id")`,
    );
    await queryRunner.query(
      `CREATE INDEX "notice_deliveries_queued" ON "notice_deliveries" ("queued_at", "id")`,
    );
    await queryRunner.query(
      `CREATE INDEX "notice_deliveries_waiting" ON "notice_deliveries" ("queue_id", "sequence") WHERE "status" = 'waiting'`,
    );
    await queryRunner.query(
      `CREATE INDEX "notice_deliveries_oldest" ON "notice_deliveries" ("queued_at") WHERE "status" = 'waiting'`,
    );
    await queryRunner.query(`
      CREATE INDEX "notice_deliveries_to_owners" ON "notice_deliveries" ("due_at")
      WHERE "status" = 'waiting' AND "channel_id" IS NULL`);
    await queryRunner.query(`
      CREATE TABLE "expiry_notice_progress" (
        "stage" text NOT NULL,
        "expires_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "token_uuid" uuid NOT NULL,
        CONSTRAINT "expiry_notice_progress_pkey" PRIMARY KEY ("stage")
      )`);
    await queryRunner.query(`
      CREATE TABLE "known_networks" (
        "token_uuid" uuid NOT NULL,
        "networks" text array NOT NULL,
        "noticed_at" TIMESTAMP(3) WITH TIME ZONE,
        CONSTRAINT "known_networks_pkey" PRIMARY KEY ("token_uuid")
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "known_networks"`);
    await queryRunner.query(`DROP TABLE "expiry_notice_progress"`);
    await queryRunner.query(`DROP TABLE "notice_deliveries"`);
    await queryRunner.query(`DROP TABLE "notice_channels"`);
  }
}
