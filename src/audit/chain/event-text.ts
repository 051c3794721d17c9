import { withoutSecrets } from '../../secrets.js';
import type { AuditEvent } from '../audit-event.entity.js';
import { canonicalJson } from './canonical-json.js';

/** What a text is made of: all that an event says. */
export type SealedEvent = Omit<AuditEvent, 'ordinal' | 'mac'>;

/** An event as one text: the JSON that the API shows of it, in its canonical form (RFC 8785). */
export function textOf(event: SealedEvent): string {
  const { id, time, actorType, actorId, action, alias, objectType, objectId } = event;
  const { before, after, address, userAgent, requestId } = event;
  return canonicalJson({
    id,
    time,
    actor: { type: actorType, id: actorId },
    action,
    // As in the API: there only where the dialect has a name for the action.
    alias: alias ?? undefined,
    object: { type: objectType, id: objectId },
    before,
    after,
    address,
    userAgent,
    requestId,
  });
}

/** The text that an event will have once it is written: without the secrets that are removed on the way. */
export function textToBe(event: SealedEvent): string {
  return withoutSecrets(textOf(event));
}
