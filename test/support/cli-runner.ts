import { type Given, patois, type Ran } from './cli.js';
import type { TestServer } from './server.js';

const VALUE = /pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/;
// oxlint-disable-next-line no-control-regex -- what a terminal would obey must not be there
const OBEYED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** The command line of an administrator of a server. Nothing that it writes holds a secret but standard output. */
export class CliRunner {
  private constructor(
    private readonly server: TestServer,
    readonly token: string,
  ) {}

  static async ofAdministrator(server: TestServer): Promise<CliRunner> {
    const { id: ownerId } = await server.admin();
    const { value } = await server.issue({ dialect: 'patois', ownerId, scopes: ['*'], name: 'of the cli' });
    return new CliRunner(server, value);
  }

  get env(): Record<string, string> {
    return { PATOIS_URL: this.server.url, PATOIS_TOKEN: this.token };
  }

  run(...args: string[]): Promise<Ran> {
    return this.runWith({}, ...args);
  }

  runAs(token: string, ...args: string[]): Promise<Ran> {
    return this.runWith({ env: { ...this.env, PATOIS_TOKEN: token } }, ...args);
  }

  async runWith(given: Given, ...args: string[]): Promise<Ran> {
    const ran = await patois(args, { env: this.env, ...given });
    for (const value of ran.stdout.match(new RegExp(VALUE, 'g')) ?? []) this.server.secrets.add(value);
    if (VALUE.test(ran.stderr)) throw new Error(`${args.join(' ')}: standard error shows a token`);
    if (OBEYED.test(ran.stdout + ran.stderr)) throw new Error(`${args.join(' ')}: a terminal would obey`);
    return ran;
  }

  /** What a command that succeeds writes. */
  async succeed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  // oxlint-disable-next-line no-explicit-any -- tests look into answers of every shape
  async json(...args: string[]): Promise<any> {
    return JSON.parse(await this.succeed(...args, '--json'));
  }
}
