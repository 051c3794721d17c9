import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  type Browser as Chromium,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { buildOnce } from './process.js';

export const CHROMIUM = '/usr/bin/chromium-headless-shell';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What axe calls worse than minor and moderate. */
const SEVERE = new Set(['serious', 'critical']);
/** Chromium writes this for every answer of 400 and above; which of them a test expects, it says. */
const FAILED_LOAD = /^Failed to load resource: the server responded with a status of (\d{3})/;

interface AxeResult {
  violations: {
    id: string;
    impact: string;
    help: string;
    nodes: { html: string; failureSummary: string }[];
  }[];
}

/** Debian's Chromium, with which people of a test visit the console. */
export class Browser {
  private constructor(private readonly chromium: Chromium) {}

  /** Builds the console where it is not as its sources are, and starts the browser. */
  static async start(): Promise<Browser> {
    buildOnce();
    const args = ['--no-sandbox', '--headless', '--disable-dev-shm-usage'];
    return new Browser(await chromium.launch({ executablePath: CHROMIUM, args }));
  }

  async visitor(url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await this.chromium.newContext({ baseURL: url, locale: 'en', ...options });
    return new Visitor(context, await context.newPage(), new URL(url).origin);
  }

  close(): Promise<void> {
    return this.chromium.close();
  }
}

/** One person with a browser of their own. Whatever the page complains of, or asks of another host, is kept. */
export class Visitor {
  private readonly complaints: string[] = [];
  private readonly expected = new Set<number>();
  private readonly origins: Set<string>;

  constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly origin: string,
  ) {
    this.origins = new Set([origin]);
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const status = FAILED_LOAD.exec(message.text())?.[1];
      if (status !== undefined && this.expected.has(Number(status))) return;
      this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`));
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (!this.origins.has(url.origin) && url.protocol !== 'blob:' && url.protocol !== 'data:') {
        this.complaints.push(`asked ${url.origin}`);
      }
    });
  }

  /** Answers of this status are part of the test: the browser's note of them is no complaint. */
  expects(...statuses: number[]): void {
    for (const status of statuses) this.expected.add(status);
  }

  /** Pages of this origin are part of the test: an attacker's, a provider's. */
  alsoAsks(origin: string): void {
    this.origins.add(origin);
  }

  /** Opens a page as somebody, whose session begins by the call that the form makes (`sign-in.test.ts` fills it in). */
  async signIn(login: string, password: string, path = '/console'): Promise<void> {
    const answer = await this.context.request.post('/patois/v1/sessions', {
      headers: { origin: this.origin, 'x-requested-with': 'patois-console' },
      data: { login, password },
    });
    if (!answer.ok()) throw new Error(`${login} is not signed in: ${answer.status()} ${await answer.text()}`);
    await this.page.goto(path);
    await this.page.getByRole('navigation').first().waitFor({ state: 'attached' });
  }

  /** What axe finds on the page as it is now that is serious or critical, a line each. */
  async barriers(): Promise<string[]> {
    // Evaluated as the browser's tools do, past the policy of the page.
    await this.page.evaluate(AXE);
    const { violations } = (await this.page.evaluate(
      `axe.run({ resultTypes: ['violations'], selectors: false })`,
    )) as AxeResult;
    return violations
      .filter(({ impact }) => SEVERE.has(impact))
      .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`));
  }

  /** Whether the page can be scrolled sideways: something is wider than the screen. */
  async isTooWide(): Promise<boolean> {
    const widths = await this.page.evaluate(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    const [wanted = 0, given = 0] = widths as number[];
    return wanted > given;
  }

  /** Texts that look like the key of a message that is missing: `rooms:some.key` or `some.key`. */
  async missingMessages(): Promise<string[]> {
    const text = await this.page.locator('body').innerText();
    return text.split(/\s+/).filter((word) => /^([a-z-]+:)?[a-z][A-Za-z]+(\.[a-z][A-Za-z0-9]+)+$/.test(word));
  }

  /** Labels, headings and buttons that have less room than their words take. */
  async cutTexts(): Promise<string[]> {
    const cut = await this.page.evaluate(`(() => {
      const named = [...document.querySelectorAll('button, a, label, legend, h1, h2, h3, th, [role=tab]')];
      return named
        .flatMap((element) => [element, ...element.querySelectorAll('*')])
        .filter(({ clientWidth, scrollWidth }) => clientWidth > 1 && scrollWidth > clientWidth + 1)
        .filter((element) => getComputedStyle(element).overflowX !== 'visible')
        .map(({ textContent }) => textContent.trim())
        .filter((text) => text !== '');
    })()`);
    return cut as string[];
  }

  /** A picture for the documentation. */
  async picture(name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder) await this.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  }

  /** @throws when the page complained, or asked another host. */
  async leave(): Promise<void> {
    await this.context.close();
    if (this.complaints.length > 0) throw new Error(this.complaints.join('\n'));
  }
}
