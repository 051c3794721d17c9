import type { Command } from 'commander';
import type { CommandEnvironment } from './environment.js';
import { Api, type OnWire, type Query } from './server/api.js';
import { authorizationOf, type CredentialOptions } from './server/credential.js';
import { printableJson } from './output/printable.js';
import { type Column, renderDescription, renderTable } from './output/table.js';
import type { Terminal } from './output/terminal.js';

/** What every command takes. */
interface SharedOptions extends CredentialOptions {
  url?: string;
  json?: boolean;
}

/** How much of a list is asked for. */
export interface ListOptions {
  limit: number;
  all?: boolean;
}

/** One run of a command: where it writes, and whom it asks. */
export class Session {
  private readonly options: SharedOptions;
  private opened: Promise<Api> | undefined;

  constructor(
    readonly terminal: Terminal,
    private readonly environment: CommandEnvironment,
    private readonly version: string,
    command: Command,
  ) {
    this.options = command.optsWithGlobals<SharedOptions>();
  }

  get isJson(): boolean {
    return this.options.json ?? false;
  }

  /** The server; the first call asks for the password, where there is one to ask for. */
  api(): Promise<Api> {
    this.opened ??= this.open();
    return this.opened;
  }

  /** Shows one thing: as the API has it, or in lines for people. */
  async show<Value>(value: Value, parts: readonly Column<Value>[]): Promise<void> {
    const text = this.isJson
      ? `${printableJson(value, 2)}\n`
      : renderDescription(parts, value, this.terminal.layout);
    await this.terminal.write(text);
  }

  /**
   * Shows what was made with a secret. The secret alone goes to standard output, so that it can be kept in a file; what it
   * belongs to is said beside it.
   */
  async showSecret<Made>(made: Made, secret: string, parts: readonly Column<Made>[]): Promise<void> {
    const { isJson, terminal } = this;
    if (isJson) return terminal.write(`${printableJson(made, 2)}\n`);
    if (terminal.isShown) {
      terminal.say(renderDescription(parts, made, { hasColours: false }).trimEnd());
      terminal.say('The secret, shown this once:');
    }
    return terminal.write(`${secret}\n`);
  }

  /** Says what was done, where nothing else is shown. */
  done(line: string): void {
    if (!this.isJson) this.terminal.say(line);
  }

  /** Shows a list page by page, as it comes. */
  async list<Item>(
    path: string,
    query: Query,
    { limit, all }: ListOptions,
    columns: readonly Column<OnWire<Item>>[],
  ): Promise<void> {
    const pages = (await this.api()).pages<Item>(path, query, all ? Infinity : limit);
    if (this.isJson) return this.listAsJson(pages);
    let count = 0;
    for await (const { items, nextCursor } of pages) {
      if (items.length > 0 || count === 0) {
        await this.terminal.write(renderTable(columns, items, this.terminal.layout, count === 0));
      }
      count += items.length;
      if (nextCursor !== null && !all && count >= limit) {
        this.terminal.say(`${count} are shown and there are more: --limit, or --all`);
      }
    }
  }

  /** One document of the API's form, an item a line; one that breaks off is no JSON. */
  private async listAsJson(pages: ReturnType<Api['pages']>): Promise<void> {
    let separator = '{"items":[\n';
    let last: string | null = null;
    for await (const { items, nextCursor } of pages) {
      for (const item of items) {
        await this.terminal.write(separator + printableJson(item));
        separator = ',\n';
      }
      last = nextCursor;
    }
    const begin = separator === ',\n' ? '' : separator;
    await this.terminal.write(`${begin}\n],"nextCursor":${JSON.stringify(last)}}\n`);
  }

  /** The server, for what needs no credential: none is sent. */
  publicApi(): Api {
    return Api.at(this.url, undefined, this.version);
  }

  private get url(): string {
    return this.options.url ?? this.environment.url;
  }

  private async open(): Promise<Api> {
    const { environment, options, terminal, version } = this;
    // A wrong address is told before anybody types a password.
    this.publicApi();
    const api = Api.at(this.url, await authorizationOf(options, environment, terminal), version);
    if (api.isInTheClear) terminal.say(`Warning: ${api.origin} is asked in the clear, credential and all`);
    return api;
  }
}
