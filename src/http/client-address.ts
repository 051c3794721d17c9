import type { Socket } from 'node:net';
import { parseCallerAddress } from '../network/addresses.js';
import { allowsAddress } from '../network/cidr.js';
import type { WithRaw } from '../protocol/dialect.js';
import { headerLines } from './header-lines.js';

/**
 * Where a request came from: the TCP peer, unless that is a trusted proxy; then the rightmost address of
 * `X-Forwarded-For` (all its lines joined) that is not a trusted proxy. If all hops are trusted, the
 * leftmost; without the header, the peer.
 *
 * @returns the address, IPv4-mapped ones as IPv4; undefined when a hop that the walk reaches is malformed, or
 *   the peer is not known: a token confined to addresses is then refused.
 */
export function clientAddress(request: WithRaw, trustedProxies: readonly string[]): string | undefined {
  const peer = peerOf(request.raw.socket);
  if (peer === undefined || trustedProxies.length === 0) return peer;
  const isTrusted = (address: string): boolean => allowsAddress(trustedProxies, address);
  if (!isTrusted(peer)) return peer;
  const hops = headerLines(request, 'x-forwarded-for')
    .join(',')
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
  let nearest: string | undefined = peer;
  for (const hop of hops.reverse()) {
    nearest = parseCallerAddress(hop);
    if (nearest === undefined || !isTrusted(nearest)) return nearest;
  }
  return nearest;
}

/** A connection has one peer, however many requests come over it. */
function peerOf(socket: Socket): string | undefined {
  let peer = peers.get(socket);
  if (peer === undefined) {
    peer = parseCallerAddress(socket.remoteAddress ?? '');
    if (peer !== undefined) peers.set(socket, peer);
  }
  return peer;
}

const peers = new WeakMap<Socket, string>();
