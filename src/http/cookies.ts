import type { WithRaw } from '../protocol/dialect.js';
import { headerLines } from './header-lines.js';

/** A cookie that no script reads. */
export interface Cookie {
  name: string;
  value: string;
  path: string;
  /** 0 makes the browser forget it. */
  maxAgeSeconds: number;
  sameSite: 'Lax' | 'Strict';
  /** Whether it goes over TLS alone. */
  isSecure: boolean;
}

/** A `Set-Cookie` header (RFC 6265, 4.1). */
export function cookieHeader({ name, value, path, maxAgeSeconds, sameSite, isSecure }: Cookie): string {
  const attributes = [`Path=${path}`, `Max-Age=${maxAgeSeconds}`, 'HttpOnly', `SameSite=${sameSite}`];
  return [`${name}=${value}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; ');
}

/** The value of a cookie; undefined where it is blank, or unless it is there exactly once: who else has set it is not told. */
export function cookieOf(request: WithRaw, name: string): string | undefined {
  const pairs = headerLines(request, 'cookie').flatMap((line) => line.split(';'));
  const values = pairs.flatMap((pair) => {
    const at = pair.indexOf('=');
    return at >= 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
  const [value] = values;
  return values.length === 1 && value !== '' ? value : undefined;
}
