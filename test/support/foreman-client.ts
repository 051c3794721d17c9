import type {
  ApipieDocument,
  ApipieMethod,
  ApipieParameter,
} from '../../src/dialects/foreman/apidoc/apipie.js';
import type { Received } from './http.js';
import type { TestServer } from './server.js';

/** How the command-line client ends: the code it exits with, and what it prints. */
export class Failure extends Error {
  constructor(
    readonly exitCode: number,
    message: string,
  ) {
    super(message);
  }
}

type Options = Record<string, string>;

/**
 * A client that knows nothing of the API but what the apipie description says, and asks as Foreman's command-line client
 * does: `--user` and `--name` are resolved to numbers through searches.
 */
export class DescribedClient {
  private constructor(
    private readonly server: TestServer,
    private readonly headers: Record<string, string>,
    private readonly description: ApipieDocument,
  ) {}

  /** Loads the description, without credentials, and tests the credentials. */
  static async connect(server: TestServer, headers: Record<string, string>): Promise<DescribedClient> {
    const { json, headers: received } = await server.send('GET', '/apidoc/v2.en.json');
    const { json: current } = await server.send('GET', '/apidoc/apipie_checksum');
    if (received['apipie-checksum'] !== current.checksum) throw new Error('The description is out of date');
    const client = new DescribedClient(server, headers, json as ApipieDocument);
    await client.call('home', 'status', {});
    return client;
  }

  /**
   * What the client prints of a user: like it, this takes the list of user groups for granted.
   *
   * https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/user.rb
   */
  async userInfo(id: number): Promise<Record<string, unknown>> {
    const { json: user } = await this.call('users', 'show', { id: String(id) });
    const inherited = (user.cached_usergroups ?? []).filter(
      (group: unknown) => !user.usergroups.includes(group),
    );
    return { ...user, full_name: [user.firstname, user.lastname].join(' '), inherited };
  }

  /**
   * The lines that `ping` prints, and the code that it exits with. It sends no credentials.
   *
   * https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/command_extensions/ping.rb
   */
  async ping(): Promise<{ lines: string[]; exitCode: number }> {
    const { json } = await this.call('ping', 'ping', {}, {});
    const { database, cache } = json.results.foreman;
    const servers = (cache?.servers ?? []) as { status: string; duration_ms: string }[];
    const status = database.active ? 'ok' : 'FAIL';
    const lines = [status, database.duration_ms, ...servers.flatMap((one) => [one.status, one.duration_ms])];
    const hasFailed = status === 'FAIL' || Object.values(json.results).some(isFailed);
    return { lines, exitCode: hasFailed ? 1 : 0 };
  }

  /**
   * What `status` prints.
   *
   * https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/command_extensions/status.rb
   */
  async status(): Promise<Record<string, unknown>> {
    const { json } = await this.call('ping', 'statuses', {});
    const { version, api, database, plugins, smart_proxies, compute_resources } = json.results.foreman;
    return {
      version,
      apiVersion: api.version,
      database: [database.active, database.duration_ms],
      plugins: plugins.map((plugin: string) => plugin.split(': ')[1]?.split(', ').slice(0, 2)),
      proxies: smart_proxies.map((proxy: { features: object }) => Object.keys(proxy.features)),
      computeResources: compute_resources.map(({ name }: { name: string }) => name),
    };
  }

  async list({ user }: { user: string }): Promise<unknown[]> {
    const { json } = await this.call('personal_access_tokens', 'index', { user_id: await this.userId(user) });
    return json.results;
  }

  async info({ user, name }: { user: string; name: string }): Promise<Record<string, unknown>> {
    const { json } = await this.call('personal_access_tokens', 'show', await this.tokenOptions(user, name));
    return json;
  }

  async create({ user, name, expires }: { user: string; name: string; expires?: string }): Promise<string> {
    const options: Options = { user_id: await this.userId(user), name };
    if (expires !== undefined) options['expires_at'] = expires;
    const { json } = await this.call('personal_access_tokens', 'create', options);
    return json.token_value;
  }

  async revoke({ user, name }: { user: string; name: string }): Promise<Record<string, unknown>> {
    const { json } = await this.call(
      'personal_access_tokens',
      'destroy',
      await this.tokenOptions(user, name),
    );
    return json;
  }

  /** The parameters of a method, as they are described. */
  parameters(resource: string, name: string): ApipieParameter[] {
    return this.method(resource, name).params;
  }

  private async tokenOptions(user: string, name: string): Promise<Options> {
    const user_id = await this.userId(user);
    return { user_id, id: await this.find('personal_access_tokens', { user_id }, 'name', name) };
  }

  private userId(login: string): Promise<string> {
    return this.find('users', {}, 'login', login);
  }

  private async find(resource: string, options: Options, field: string, value: string): Promise<string> {
    const search = `${field} = "${value}"`;
    const all: Options = { ...options, search, per_page: '1000', page: '1' };
    const { json } = await this.call(resource, 'index', all);
    const singular = resource.replace(/s$/, '');
    if (json.results.length === 0) throw new Failure(70, `${singular} not found`);
    if (json.results.length > 1) throw new Failure(70, `found more than one ${singular}`);
    return String(json.results[0].id);
  }

  private async call(
    resource: string,
    name: string,
    options: Options,
    credentials = this.headers,
  ): Promise<Received> {
    const { apis, params } = this.method(resource, name);
    const [{ api_url, http_method }] = apis as [ApipieMethod['apis'][number]];
    const rest = filled(params, options);
    const path = api_url.replace(/:(\w+)/g, (_, parameter: string) => {
      const value = rest[parameter];
      delete rest[parameter];
      return encodeURIComponent(String(value));
    });
    const headers = {
      ...credentials,
      'content-type': 'application/json',
      accept: 'application/json;version=2',
    };
    const isQuery = http_method === 'GET';
    const query = isQuery ? `?${new URLSearchParams(rest as Options).toString()}` : '';
    const body = isQuery ? {} : { body: rest };
    return orFailure(await this.server.send(http_method, path + query, { headers, ...body }));
  }

  private method(resource: string, name: string): ApipieMethod {
    const found = this.description.docs.resources[resource]?.methods.find((method) => method.name === name);
    if (!found) throw new Error(`${resource}#${name} is not described`);
    return found;
  }
}

function isFailed(service: unknown): boolean {
  return (service as { status?: string }).status === 'FAIL';
}

/** The described parameters, hashes nested; options that are not described cannot be sent. */
function filled(params: ApipieParameter[], options: Options): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, expected_type, required, params: inner = [] } of params) {
    if (expected_type === 'hash') values[name] = filled(inner, options);
    else if (options[name] !== undefined) values[name] = options[name];
    else if (required) throw new Failure(64, `Missing arguments for '${name}'.`);
  }
  return values;
}

/** What the client makes of an answer: its exit code by status, and the message it prints. */
function orFailure(answer: Received): Received {
  const { status } = answer;
  if (status < 400) return answer;
  const { error, message } = answer.json;
  if (status === 422) throw new Failure(65, [error.full_messages ?? error.message].flat().join('\n'));
  if (status === 403)
    throw new Failure(
      77,
      `${error.message}
${error.details}`,
    );
  if (status === 401) throw new Failure(129, error.message);
  if (status === 404) throw new Failure(128, error?.message ?? message);
  throw new Failure(70, error.message);
}
