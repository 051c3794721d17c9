const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  '53300', // too many connections
  '57014', // statement timeout
  '57P01', // admin shutdown
  '57P02', // crash shutdown
  '57P03', // cannot connect now
  '25P03', // idle in transaction timeout
  '25006', // cannot be written to: no primary, or none any more
  '08P01', // what a pooler says that has no server
  '08000',
  '08003',
  '08006',
  '08007', // committed, but perhaps not on the standby
]);

/** Whether an error says that the database cannot answer now, rather than that the query was wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError } = error as Error & { code?: string; driverError?: unknown };
  if (code !== undefined && UNAVAILABLE_CODES.has(code)) return true;
  if (driverError && driverError !== error) return isDatabaseUnavailable(driverError);
  return /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error)/.test(
    error.message,
  );
}

/** Whether an error says that the database took too long, be it as it says itself or as the driver does. */
export function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as Error & { code?: string }).code === '57014' || error.message === 'Query read timeout';
}

/** The name of the unique index or constraint that a write ran into; undefined for every other error. */
export function violatedUniqueIndex(error: unknown): string | undefined {
  interface Violation {
    code?: string;
    constraint?: string;
    driverError?: Violation;
  }
  // TypeORM wraps what the driver throws.
  const { code, constraint } = (error as Violation).driverError ?? (error as Violation);
  return code === '23505' ? constraint : undefined;
}
