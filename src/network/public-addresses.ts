import ipaddr from 'ipaddr.js';
import { type Address, isMapped, parseAddress } from './addresses.js';
import { allowsAddress } from './cidr.js';

/** RFC 6052, 2.1: what a network without IPv4 gives for an address of IPv4. */
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96];
/** RFC 4291, 2.4: the addresses that are given to anybody yet. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
/** RFC 9637. */
const DOCUMENTATION: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('3fff::'), 20];

/**
 * Whether an address is one of the Internet at large, or of the networks that are allowed beside it: not of this machine,
 * a private network, a link, a group, or of those kept for anything else. An address that stands for one of IPv4 is what
 * that is.
 *
 * @param networks CIDR blocks.
 */
export function isReachable(text: string, networks: readonly string[]): boolean {
  const address = parseAddress(text);
  if (!address) return false;
  const meant = ofIPv4(address) ?? address;
  const names = [meant.toString(), address.toString()];
  if (networks.length > 0 && names.some((name) => allowsAddress(networks, name))) return true;
  return isPublic(meant);
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv4') return true;
  const six = address as ipaddr.IPv6;
  return six.match(...GLOBAL_UNICAST) && !six.match(...DOCUMENTATION);
}

/** The address of IPv4 that one of IPv6 stands for. */
function ofIPv4(address: Address): Address | undefined {
  if (address.kind() === 'ipv4') return undefined;
  const six = address as ipaddr.IPv6;
  if (isMapped(six)) return six.toIPv4Address();
  return six.match(...NAT64) ? ipaddr.fromByteArray(six.toByteArray().slice(12)) : undefined;
}
