import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAccounts1795300000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "organizations" (
        "id" uuid NOT NULL,
        "numeric_id" SERIAL NOT NULL,
        "name" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "organizations_pkey" PRIMARY KEY ("id")
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX "organizations_name" ON "organizations" (lower("name"))`);
    await queryRunner.query(`
      CREATE TABLE "locations" (
        "id" uuid NOT NULL,
        "numeric_id" SERIAL NOT NULL,
        "name" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "locations_pkey" PRIMARY KEY ("id")
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX "locations_name" ON "locations" (lower("name"))`);
    await queryRunner.query(`
      CREATE TABLE "users" (
        "id" uuid NOT NULL,
        "numeric_id" SERIAL NOT NULL,
        "login" text NOT NULL,
        "name" text,
        "email" text,
        "role" text NOT NULL,
        "permissions" text array NOT NULL,
        "organization_id" uuid NOT NULL,
        "password_digest" text,
        "disabled" boolean NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "deleted_at" TIMESTAMP(3) WITH TIME ZONE,
        CONSTRAINT "users_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "users_organization_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id")
      )`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX "users_login" ON "users" (lower("login")) WHERE "deleted_at" IS NULL`,
    );
    await queryRunner.query(
      `CREATE INDEX "users_organization" ON "users" ("organization_id", "created_at", "id")`,
    );
    await queryRunner.query(`
      CREATE TABLE "user_locations" (
        "user_id" uuid NOT NULL,
        "location_id" uuid NOT NULL,
        CONSTRAINT "PK_aac5bef9251764c6f9efc0bab40" PRIMARY KEY ("user_id", "location_id"),
        CONSTRAINT "user_locations_user_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id")
          ON DELETE CASCADE ON UPDATE CASCADE,
        CONSTRAINT "user_locations_location_fkey" FOREIGN KEY ("location_id") REFERENCES "locations" ("id")
          ON DELETE CASCADE ON UPDATE CASCADE
      )`);
    // TypeORM derives these two names from the table and column; the drift check compares them.
    await queryRunner.query(`CREATE INDEX "IDX_437edca703095b237b5bdb35e2" ON "user_locations" ("user_id")`);
    await queryRunner.query(
      `CREATE INDEX "IDX_3f495c9a559977dbbc1901a143" ON "user_locations" ("location_id")`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "user_locations"`);
    await queryRunner.query(`DROP TABLE "users"`);
    await queryRunner.query(`DROP TABLE "locations"`);
    await queryRunner.query(`DROP TABLE "organizations"`);
  }
}
