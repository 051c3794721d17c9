import type { DataSource } from 'typeorm';

/** What the database says when it cannot answer now, and when it fails in a way that nobody foresaw. */
const SQLSTATES = { unavailable: '57P03', internal: 'XX000' } as const;

export type Fault = keyof typeof SQLSTATES;

/**
 * Lets every statement that reads tokens fail from now on, in the database itself: what stands between it and the client
 * is the real thing. There is no way back; statements prepared before go on as they were, so it comes first.
 */
export async function breakTokens(dataSource: DataSource, fault: Fault): Promise<void> {
  await dataSource.query(`
    CREATE FUNCTION fail() RETURNS boolean STABLE LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'broken by a test' USING ERRCODE = '${SQLSTATES[fault]}';
    END $$`);
  await dataSource.query('ALTER TABLE tokens RENAME TO kept_tokens');
  await dataSource.query('CREATE VIEW tokens AS SELECT * FROM kept_tokens WHERE fail()');
}
