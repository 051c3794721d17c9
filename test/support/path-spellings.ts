import { expect } from '@jest/globals';

/** Ways to write a path below `/reports`, or one that some service behind a gateway could take for such a one. */
export const SPELLINGS = [
  '/reports',
  '/reports/',
  '/reports/1',
  '/reports/1?scope=user:admin',
  '/reports?/other',
  '/reports/1;x=1',
  // Slashes.
  '//reports/1',
  '///reports///1',
  '/reports//1',
  '//reports',
  // Dots, also from within.
  '/./reports/1',
  '/././reports/1',
  '/x/../reports/1',
  '/x/y/../../reports/1',
  '/../reports/1',
  '/x//../reports/1',
  '/reports/../other',
  '/reports/./../other',
  '/reports/..',
  '/other/../reports',
  // Letters and dots encoded.
  '/%72eports/1',
  '/%72%65%70%6f%72%74%73/1',
  '/%72%65%70%6F%72%74%73/1',
  '/%72eports',
  '/%2e/reports/1',
  '/x/%2e%2e/reports/1',
  '/x/.%2e/reports/1',
  '/x/%2E./reports/1',
  '/reports/%2e%2e/other',
  '//%2e//%72eports/1',
  // Case.
  '/Reports/1',
  '/REPORTS/1',
  '/%52eports/1',
  // Slashes encoded.
  '/reports%2f1',
  '/reports%2F1',
  '/%2freports/1',
  '/%2Freports',
  '/x/..%2freports/1',
  '/x%2f..%2freports/1',
  '/x/%2e%2e%2freports/1',
  '/reports/..%2fother',
  '/reports%2f..%2fother',
  // Backslashes.
  '/reports\\1',
  '/\\reports\\1',
  '/x\\..\\reports\\1',
  '/x/..\\reports\\1',
  '/reports/..\\other',
  '/reports%5c1',
  '/%5Creports/1',
  '/x%5c..%5creports/1',
  '/reports/..%5Cother',
  // Parameters of segments.
  '/reports;x=1/1',
  '/reports;/1',
  '/;x/reports/1',
  '/x/..;/reports/1',
  '/x/..;y=1/reports/1',
  '/reports/..;/other',
  '/reports%3bx=1/1',
  '/reports%3B/1',
  // Beside the path.
  '/reports/1#x',
  '/reports#/other',
  '/other#/../reports/1',
  'http://gateway.example/reports/1',
  'http://gateway.example//%72eports/1',
  'HTTP://gateway.example/./reports/1',
  // What is no text.
  '/reports/%00',
  '/reports%00/1',
  '/%zz/../reports/1',
  '/reports/%',
  '/%c0%afreports/1',
];

/**
 * Whether a service could take a target for one below `/reports`: one that decodes it once, and that may then merge
 * slashes or not, resolve dots or not, take backslashes for slashes, cut parameters off and not know capitals.
 */
function meansReports(target: string): boolean {
  const [path = ''] = target.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/);
  const plain = decoded(path)
    .toLowerCase()
    .replaceAll('\\', '/')
    .replace(/;[^/]*/g, '');
  const merged = plain.replace(/\/+/g, '/');
  return [plain, merged, withoutDots(merged)].some((reading) => /^\/reports(\/|$)/.test(reading));
}

function decoded(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (byte) => String.fromCharCode(Number.parseInt(byte.slice(1), 16)));
}

function withoutDots(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/**
 * Sends a spelling through a gateway without the scope that `/reports` needs. It may be another path to the gateway: then
 * it must be another one to the service as well, whichever it is.
 */
export async function expectNoWayAround(
  path: string,
  gatewayUrl: string,
  asked: readonly { path: string }[],
  get: (path: string) => Promise<{ status: number }>,
): Promise<void> {
  const before = asked.length;
  const { status } = await get(path.replace('gateway.example', new URL(gatewayUrl).host));
  const seen = asked.slice(before).map((one) => one.path);
  expect(seen.filter(meansReports)).toEqual([]);
  expect({ path, isAnswered: seen.length > 0 ? status === 200 : status >= 300 && status < 500 }).toEqual({
    path,
    isAnswered: true,
  });
}
