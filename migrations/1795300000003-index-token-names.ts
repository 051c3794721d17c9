import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Names sort by bytes, whatever the database's collation: a page of an owner's tokens by name needs no sorting. */
export class IndexTokenNames1795300000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE INDEX "tokens_owner_name" ON "tokens" ("owner_id", "dialect", "name" COLLATE "C", "numeric_id")`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX "tokens_owner_name"`);
  }
}
