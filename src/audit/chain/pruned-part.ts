import type { PublicAuditKey } from '../audit-keys.js';
import type { Pruned } from './audit-sealing.entity.js';
import { canonicalJson } from './canonical-json.js';
import { isSignedBy } from './signatures.js';

/** What is signed of the deletion of all events up to a seal. */
export function prunedText({ sequence, root, prunedAt, key }: Omit<Pruned, 'signature'>): string {
  return canonicalJson({ prunedThrough: sequence, root, prunedAt, key });
}

/** Whether the server deleted these events: somebody else's deletion is not signed. */
export function isPrunedByServer(pruned: Pruned, keys: ReadonlyMap<string, PublicAuditKey>): boolean {
  const key = keys.get(pruned.key);
  return key !== undefined && isSignedBy(key, prunedText(pruned), pruned.signature);
}
