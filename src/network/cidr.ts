import type ipaddr from 'ipaddr.js';
import { type Address, bitsOf, firstAddress, isMapped, parseAddress } from './addresses.js';

/** What is wrong with one entry of an allow list. */
export class CidrError extends Error {}

/** A parsed block: all addresses that share the first `prefix` bits. */
export interface CidrBlock {
  network: Address;
  prefix: number;
}

/**
 * Parses `address/prefix` strictly: no bare address, no host bits, no leading zeros in IPv4, no zone, no IPv4-mapped
 * network.
 *
 * @throws {CidrError} whose message names the entry.
 */
export function parseCidr(entry: string): CidrBlock {
  const [text = '', prefixText, ...rest] = entry.split('/');
  if (prefixText === undefined) {
    throw new CidrError(`'${entry}' is not a CIDR block: it needs a prefix length, such as /32`);
  }
  const network = parseAddress(text);
  if (!network || rest.length > 0 || !/^\d{1,3}$/.test(prefixText)) {
    throw new CidrError(`'${entry}' is not a CIDR block of IPv4 or IPv6`);
  }
  const bits = network.kind() === 'ipv4' ? 32 : 128;
  const prefix = Number(prefixText);
  if (prefix > bits || String(prefix) !== prefixText) {
    throw new CidrError(`'${entry}' has a prefix length that is not from 0 to ${bits}`);
  }
  if (isMapped(network)) {
    throw new CidrError(`'${entry}' is an IPv4-mapped block: write it as IPv4`);
  }
  const canonical = formatCidr({ network: firstAddress(network, prefix), prefix });
  if (canonical !== formatCidr({ network, prefix })) {
    throw new CidrError(`'${entry}' has host bits set; the block is ${canonical}`);
  }
  return { network, prefix };
}

/** Checks an allow list and drops the entries that repeat an earlier block, keeping the others as they are written. */
export function normalizeCidrs(entries: readonly string[]): string[] {
  const seen = new Set<string>();
  return entries.filter((entry) => {
    const canonical = formatCidr(parseCidr(entry));
    return !seen.has(canonical) && seen.add(canonical);
  });
}

/**
 * Whether an allow list lets an address in. An empty list lets everybody in; a list never lets in a caller whose address
 * is not known.
 */
export function allowsAddress(blocks: readonly string[], address: string | undefined): boolean {
  if (blocks.length === 0) return true;
  if (address === undefined) return false;
  const list = knownList(blocks);
  let isAllowed = list.decisions.get(address);
  if (isAllowed === undefined) {
    isAllowed = isWithin(list.parsed, address);
    if (list.decisions.size >= MAX_DECISIONS) list.decisions.clear();
    list.decisions.set(address, isAllowed);
  }
  return isAllowed;
}

/** What is remembered of a list for as long as somebody keeps it: a token in use is checked on every request. */
interface KnownList {
  parsed: CidrBlock[];
  decisions: Map<string, boolean>;
}

const MAX_DECISIONS = 100;
const knownLists = new WeakMap<readonly string[], KnownList>();

function knownList(blocks: readonly string[]): KnownList {
  let list = knownLists.get(blocks);
  if (!list) {
    list = { parsed: blocks.map(parseCidr), decisions: new Map() };
    knownLists.set(blocks, list);
  }
  return list;
}

function isWithin(blocks: readonly CidrBlock[], address: string): boolean {
  const caller = parseAddress(address);
  if (!caller) return false;
  const inner = { network: caller, prefix: bitsOf(caller) };
  return blocks.some((block) => contains(block, inner));
}

/**
 * Whose address a caller's is: an IPv4 address is somebody's, of IPv6 addresses everybody has a /64 to choose from. For
 * counting, not for showing.
 */
export function networkOf(address: string | undefined): string {
  const parsed = address === undefined ? undefined : parseAddress(address);
  if (!parsed) return 'unknown';
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return formatCidr({ network: firstAddress(parsed, 64), prefix: 64 });
}

/** Whether `blocks` reaches an address that `bounds` does not; empty lists reach everywhere. */
export function reachesBeyond(blocks: readonly string[], bounds: readonly string[]): boolean {
  if (bounds.length === 0) return false;
  if (blocks.length === 0) return true;
  const outer = bounds.map(parseCidr);
  return blocks.map(parseCidr).some((block) => !outer.some((bound) => contains(bound, block)));
}

/**
 * Blocks that reach what two lists both reach, in the words of the narrower of each two. An empty list reaches everywhere;
 * the answer is empty where nothing is reached by both, or both reach everywhere.
 */
export function blocksOfBoth(some: readonly string[], others: readonly string[]): string[] {
  if (some.length === 0 || others.length === 0) return [...some, ...others];
  const [firsts, seconds] = [some.map(parseCidr), others.map(parseCidr)];
  const ofFirst = some.filter((_, index) =>
    seconds.some((bound) => contains(bound, firsts[index] as CidrBlock)),
  );
  const ofSecond = others.filter((_, index) =>
    firsts.some((bound) => contains(bound, seconds[index] as CidrBlock)),
  );
  return normalizeCidrs([...ofSecond, ...ofFirst]);
}

function contains(outer: CidrBlock, inner: CidrBlock): boolean {
  if (outer.network.kind() !== inner.network.kind() || outer.prefix > inner.prefix) return false;
  return inner.network.match(outer.network as ipaddr.IPv4 & ipaddr.IPv6, outer.prefix);
}

function formatCidr({ network, prefix }: CidrBlock): string {
  return `${network.toString()}/${prefix}`;
}
