const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text can be asked for as a uuid, in either case: PostgreSQL refuses the query otherwise. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
