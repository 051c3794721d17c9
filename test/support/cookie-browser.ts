/** An answer as a browser sees it, which does not go on by itself. */
export interface Page {
  status: number;
  headers: Headers;
  text: string;
  /** Where it is sent on to; undefined where it stays. */
  location: string | undefined;
}

/** Keeps cookies, by the origin that set them, and sends them back there. */
export class Browser {
  readonly cookies = new Map<string, Map<string, string>>();

  async get(url: string): Promise<Page> {
    const { origin } = new URL(url);
    const kept = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, kept);
    const cookie = [...kept].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const isGone = value === '' || /max-age=0\b/i.test(line) || /expires=Thu, 01 Jan 1970/i.test(line);
      if (isGone) kept.delete(name);
      else kept.set(name, value);
    }
    const location = answer.headers.get('location');
    return {
      status: answer.status,
      headers: answer.headers,
      text: await answer.text(),
      location: location === null ? undefined : new URL(location, url).href,
    };
  }

  /** A cookie of an origin. */
  cookie(origin: string, name: string): string | undefined {
    return this.cookies.get(origin)?.get(name);
  }
}
