/** The server is alive, or ready. */
export class Health {
  /** @example 'ok' */
  status = 'ok' as const;
}
