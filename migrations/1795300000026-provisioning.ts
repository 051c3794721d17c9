import type { MigrationInterface, QueryRunner } from 'typeorm';
import { briefly, OnlineSchema } from './online.js';

/** Users and groups as an identity provider provisions them. */
export class Provisioning1795300000026 implements MigrationInterface {
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // An attempt that was broken off may have come as far as this.
    if (!(await queryRunner.hasTable('groups')))
      await briefly(queryRunner, async () => {
        await addColumns(queryRunner);
        await makeTables(queryRunner);
      });
    await OnlineSchema.change(queryRunner, (schema) =>
      schema.createIndex(
        'users_external_id',
        `ON "users" ("organization_id", "external_id") WHERE "external_id" IS NOT NULL AND "deleted_at" IS NULL`,
        'UNIQUE ',
      ),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "group_members"`);
    await queryRunner.query(`DROP TABLE "groups"`);
    await queryRunner.query(`DROP INDEX "users_external_id"`);
    await queryRunner.query(`
      ALTER TABLE "users" DROP COLUMN "external_id", DROP COLUMN "deprovisioned", DROP COLUMN "scim_attributes"`);
  }
}

function addColumns(queryRunner: QueryRunner): Promise<unknown> {
  return queryRunner.query(`
      ALTER TABLE "users"
        ADD COLUMN "external_id" text,
        ADD COLUMN "deprovisioned" boolean NOT NULL DEFAULT false,
        ADD COLUMN "scim_attributes" jsonb`);
}

async function makeTables(queryRunner: QueryRunner): Promise<void> {
  await queryRunner.query(`
      CREATE TABLE "groups" (
        "id" uuid NOT NULL,
        "organization_id" uuid NOT NULL,
        "display_name" text NOT NULL,
        "external_id" text,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "groups_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "groups_organization_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id")
      )`);
  await queryRunner.query(
    `CREATE UNIQUE INDEX "groups_display_name" ON "groups" ("organization_id", lower("display_name"))`,
  );
  await queryRunner.query(`
      CREATE UNIQUE INDEX "groups_external_id" ON "groups" ("organization_id", "external_id")
        WHERE "external_id" IS NOT NULL`);
  await queryRunner.query(
    `CREATE INDEX "groups_organization" ON "groups" ("organization_id", "created_at", "id")`,
  );
  await queryRunner.query(`
      CREATE TABLE "group_members" (
        "group_id" uuid NOT NULL,
        "user_id" uuid NOT NULL,
        CONSTRAINT "group_members_pkey" PRIMARY KEY ("group_id", "user_id"),
        CONSTRAINT "group_members_group_fkey" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON DELETE CASCADE,
        CONSTRAINT "group_members_user_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id")
      )`);
  await queryRunner.query(`CREATE INDEX "group_members_user" ON "group_members" ("user_id", "group_id")`);
}
