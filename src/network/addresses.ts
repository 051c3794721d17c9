import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The beginning of `::a.b.c.d`. */
const DEPRECATED_COMPATIBLE = /^::(?=\d+\.)/;

/**
 * Parses a bare IP address; an IPv4-mapped IPv6 address (`::ffff:10.1.2.3`) becomes the IPv4 address it stands for;
 * the deprecated `::10.1.2.3` stands for none. Undefined for anything else: a port, a name, a zone, leading zeros.
 */
export function parseCallerAddress(text: string): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  if (address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()) {
    return (address as ipaddr.IPv6).toIPv4Address().toString();
  }
  return address.toString();
}

/** The address of a text; undefined where it is none. */
export function parseAddress(text: string): Address | undefined {
  // node:net knows neither leading zeros in IPv4 nor octal forms, which ipaddr.js alone would read; '%' is a zone.
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  // ipaddr.js takes the deprecated `::a.b.c.d` for `::ffff:a.b.c.d`. It is IPv6 like any other (RFC 4291, 2.5.5.1).
  return ipaddr.parse(text.replace(DEPRECATED_COMPATIBLE, '0:0:0:0:0:0:'));
}

/** Whether an IPv6 address stands for one of IPv4 (`::ffff:a.b.c.d`). */
export function isMapped(address: Address): boolean {
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress();
}

/** The first address of the block of that prefix which an address lies in. */
export function firstAddress(address: Address, prefix: number): Address {
  const bytes = address.toByteArray().map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
  return ipaddr.fromByteArray(bytes);
}

/** How many bits the addresses of a family have. */
export function bitsOf(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128;
}
