/**
 * CIDR blocks as the server reads them (src/network/cidr.ts), so that a person hears of a mistake while typing. This file
 * imports nothing, so that tests hold it to the server's.
 */

/** All addresses that share the first `prefix` bits. */
export interface CidrBlock {
  version: 4 | 6;
  network: bigint;
  prefix: number;
}

/** What is wrong with one entry; `suggestion` is what was probably meant. */
export interface CidrFault {
  kind: 'noBlock' | 'noPrefix' | 'prefixTooLong' | 'hostBits' | 'mapped';
  suggestion?: string;
}

const BITS = { 4: 32, 6: 128 } as const;
const MAPPED = 0xffffn;
const DECIMAL = /^(0|[1-9]\d{0,2})$/;

/** Parses `address/prefix`, strictly: no bare address, no host bits, no leading zeros, no IPv4-mapped network. */
export function parseCidr(entry: string): CidrBlock | CidrFault {
  const [text = '', prefixText, ...rest] = entry.split('/');
  const address = parseAddress(text);
  if (!address || rest.length > 0) return { kind: 'noBlock' };
  const bits = BITS[address.version];
  if (prefixText === undefined) return { kind: 'noPrefix', suggestion: `${text}/${bits}` };
  if (!DECIMAL.test(prefixText)) return { kind: 'noBlock' };
  const prefix = Number(prefixText);
  if (prefix > bits) return { kind: 'prefixTooLong', suggestion: `${text}/${bits}` };
  if (address.version === 6 && address.value >> 32n === MAPPED) return { kind: 'mapped' };
  const hostBits = BigInt(bits - prefix);
  const network = (address.value >> hostBits) << hostBits;
  if (network !== address.value) {
    return { kind: 'hostBits', suggestion: `${formatAddress(address.version, network)}/${prefix}` };
  }
  return { version: address.version, network, prefix };
}

export function isFault(parsed: CidrBlock | CidrFault): parsed is CidrFault {
  return 'kind' in parsed;
}

/** How many addresses a block has. */
export function sizeOf({ version, prefix }: CidrBlock): bigint {
  return 1n << BigInt(BITS[version] - prefix);
}

/** Whether one block lies within another. */
export function contains(outer: CidrBlock, inner: CidrBlock): boolean {
  if (outer.version !== inner.version || outer.prefix > inner.prefix) return false;
  const hostBits = BigInt(BITS[outer.version] - outer.prefix);
  return inner.network >> hostBits === outer.network >> hostBits;
}

/** The block that one address is by itself; undefined: it is no address. */
export function onlyAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address && `${text}/${BITS[address.version]}`;
}

function parseAddress(text: string): { version: 4 | 6; value: bigint } | undefined {
  if (!text.includes(':')) {
    const value = parseIPv4(text);
    return value === undefined ? undefined : { version: 4, value };
  }
  const value = parseIPv6(text);
  return value === undefined ? undefined : { version: 6, value };
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => DECIMAL.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [groupsOf(halves[0] ?? '', halves.length === 1), groupsOf(halves[1] ?? '', true)];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail];
  return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

/** The groups of a part of an address, which may end as IPv4 does where it is the last. */
function groupsOf(text: string, isLast: boolean): bigint[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: bigint[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes('.') && isLast && index === parts.length - 1) {
      const value = parseIPv4(part);
      if (value === undefined) return undefined;
      groups.push(value >> 16n, value & 0xffffn);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(BigInt(`0x${part}`));
    }
  }
  return groups;
}

function formatAddress(version: 4 | 6, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(16 * (7 - index))) & 0xffffn);
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = [...text.matchAll(/(^|:)0(:0)+(:|$)/g)].map(([run]) => run);
  const [longest] = runs.sort((one, other) => other.length - one.length);
  return longest === undefined ? text : text.replace(longest, '::');
}
