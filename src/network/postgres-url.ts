/** One server of several. */
export interface PostgresHost {
  host: string;
  port: number;
}

/** What an address of PostgreSQL names, in libpq's form. */
export interface PostgresAddress {
  /** The address of the first server alone, as the driver reads it. */
  url: string;
  /** All servers, in their order; none where there is one, which the driver reads by itself. */
  hosts: PostgresHost[];
  /** libpq's `target_session_attrs`: which of the servers is meant. */
  sessions: string | undefined;
}

const DEFAULT_PORT = 5432;
const ADDRESS = /^(postgres(?:ql)?:\/\/(?:[^@/?#]*@)?)([^@/?#]*)([/?#].*)?$/s;
const HOST = /^(\[[\da-f:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/i;

/**
 * Reads `postgres://user:password@host:port[,host:port…]/database?…`.
 *
 * @returns undefined for any other text.
 */
export function parsePostgresUrl(text: string): PostgresAddress | undefined {
  const [, begin = '', authority = '', rest = ''] = ADDRESS.exec(text) ?? [];
  const names = authority.split(',');
  const first = `${begin}${names[0]}${rest}`;
  if (!begin || !URL.canParse(first)) return undefined;
  const url = new URL(first);
  const sessions = url.searchParams.get('target_session_attrs') ?? undefined;
  if (sessions !== undefined) url.searchParams.delete('target_session_attrs');
  const address = { url: sessions === undefined ? first : url.href, sessions };
  if (names.length === 1) return { ...address, hosts: [] };
  const hosts = names.map(parseHost);
  return hosts.every((host) => host !== undefined) ? { ...address, hosts } : undefined;
}

function parseHost(text: string): PostgresHost | undefined {
  const [, host, port] = HOST.exec(text) ?? [];
  if (host === undefined || Number(port ?? DEFAULT_PORT) > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? DEFAULT_PORT) };
}
