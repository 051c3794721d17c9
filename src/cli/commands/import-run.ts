import type { ImportAnswer, ImportTokens } from '../../administration/imports/imports.dto.js';
import { CommandError, EXIT } from '../exit.js';
import type { ImportRow } from '../input/imported-tokens.js';
import { type Api, ApiFailure, type OnWire } from '../server/api.js';
import { patiently } from '../server/patience.js';

const MAX_ROWS = 1_000;
const MAX_BODY_BYTES = 524_288;

type Head = Omit<OnWire<ImportTokens>, 'tokens'>;
type Body = OnWire<ImportTokens>['tokens'][number];

/** A token on its way, as it is sent. */
interface Waiting {
  line: number;
  body: Partial<Body>;
}

/** What is wrong with the token of a line. */
export interface ImportComplaint {
  line: number;
  detail: string;
}

export interface ImportOptions {
  /** What holds for every page. */
  head: Head;
  interruption: AbortSignal;
  onComplaint: (complaint: ImportComplaint) => void;
  /** With so many that failed it ends. */
  maxErrors: number;
}

/**
 * Sends the tokens of a file page by page. What is refused is left out, told, and the others of its page are sent again: all
 * that can be is imported, and another run brings those that were put right.
 */
export class ImportRun {
  imported = 0;
  existing = 0;
  failed = 0;
  private page: Waiting[] = [];
  private bytes: number;
  private readonly emptyBytes: number;

  constructor(
    private readonly api: Api,
    private readonly options: ImportOptions,
  ) {
    this.emptyBytes = bytesOf({ ...options.head, tokens: [] });
    this.bytes = this.emptyBytes;
  }

  async take(row: ImportRow): Promise<void> {
    if ('complaint' in row) return this.fail(row.line, row.complaint);
    const { line, body } = row;
    // With the comma behind it.
    const bytes = bytesOf(body) + 1;
    if (this.emptyBytes + bytes > MAX_BODY_BYTES) {
      return this.fail(line, 'it is longer than a call may be');
    }
    if (this.page.length === MAX_ROWS || this.bytes + bytes > MAX_BODY_BYTES) await this.flush();
    this.page.push({ line, body });
    this.bytes += bytes;
  }

  /** Sends what waits. */
  async flush(): Promise<void> {
    let page = this.page;
    this.page = [];
    this.bytes = this.emptyBytes;
    while (page.length > 0) {
      if (this.options.interruption.aborted) throw new CommandError('Interrupted', EXIT.interrupted);
      page = await this.send(page);
    }
  }

  /** Sends a page; what is left of it where some of it was refused. */
  private async send(page: readonly Waiting[]): Promise<Waiting[]> {
    const { head, interruption } = this.options;
    const body = { ...head, tokens: page.map((one) => one.body) };
    try {
      const { body: answer } = await patiently(interruption, () =>
        this.api.send<ImportAnswer>('POST', '/patois/v1/imports', { body }),
      );
      this.imported += answer.imported;
      this.existing += answer.existing;
      const told = this.tell(page, answer.errors);
      // A dry run does not name more than its first hundred complaints.
      this.failed += page.length - answer.imported - answer.existing - told.size;
      return [];
    } catch (error) {
      const errors = error instanceof ApiFailure ? (error.answer?.errors ?? []) : [];
      const told = this.tell(page, errors);
      // What is wrong is not with single tokens.
      if (told.size === 0) throw error;
      return page.filter((_, place) => !told.has(place));
    }
  }

  /** Tells what is wrong with tokens of a page; their places in it. */
  private tell(page: readonly Waiting[], errors: readonly ImportAnswer['errors'][number][]): Set<number> {
    const byPlace = new Map<number, string[]>();
    for (const { pointer, detail } of errors) {
      const [, place, key = ''] = /^\/tokens\/(\d+)(\/.*)?$/.exec(pointer) ?? [];
      if (place === undefined) continue;
      const details = byPlace.get(Number(place)) ?? [];
      const name = key.slice(1);
      // Some name the key themselves.
      byPlace.set(Number(place), [...details, detail.startsWith(name) ? detail : `${name}: ${detail}`]);
    }
    for (const [place, details] of byPlace) this.fail(page[place]?.line ?? 0, details.join('; '));
    return new Set(byPlace.keys());
  }

  private fail(line: number, detail: string): void {
    this.failed += 1;
    this.options.onComplaint({ line, detail });
    if (this.failed >= this.options.maxErrors) {
      throw new CommandError(`Ended at ${this.failed} tokens that failed: --max-errors`, EXIT.failed);
    }
  }
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
