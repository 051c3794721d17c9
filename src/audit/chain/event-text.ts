import { withoutSecrets } from '../../secrets.js';
import type { AuditEvent } from '../audit-event.entity.js';
import { canonicalJson } from './canonical-json.js';

/** What a text is made of: all that an event says. */
export type SealedEvent = Omit<AuditEvent, 'ordinal' | 'mac'>;

/** An event as one text: the JSON that the API shows of it, in its canonical form (RFC 8785). */
export function textOf(event: SealedEvent): string {
  const { id, time, actorType, actorId, action, alias, objectType, objectId } = event;
  const { before, after, address, userAgent, requestId } = event;
  // In the order that they have in the text: what is sorted already need not be sorted.
  return canonicalJson({
    action,
    actor: { id: actorId, type: actorType },
    address,
    after,
    // As in the API: there only where the dialect has a name for the action.
    alias: alias ?? undefined,
    before,
    id,
    object: { id: objectId, type: objectType },
    requestId,
    time,
    userAgent,
  });
}

/** The text that an event will have once it is written: without the secrets that are removed on the way. */
export function textToBe(event: SealedEvent): string {
  return withoutSecrets(textOf(event));
}
