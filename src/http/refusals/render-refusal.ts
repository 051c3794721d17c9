import type { PathOwner, RefusedRequest, RenderedRefusal } from '../../protocol/dialect.js';
import type { Refusal } from '../../refusal.js';

/** Words a refusal as the owner of the request's path does, with the headers that HTTP wants beside it. */
export function renderRefusal(
  refusal: Refusal,
  owner: PathOwner,
  request: RefusedRequest,
): Required<RenderedRefusal> {
  const { status, headers = {}, body } = owner.renderRefusal(refusal, request);
  const common: Record<string, string> = {};
  if (status === 401) common['www-authenticate'] = 'Basic realm="Patois", charset="UTF-8"';
  if (status === 405) common['allow'] = refusal.allow.join(', ');
  // Foreman answers too many tries with a 401: what the refusal is counts, not how its status reads.
  if (refusal.kind === 'tooMany' || refusal.kind === 'unavailable')
    common['retry-after'] = String(refusal.retryAfterSeconds ?? 1);
  return { status, headers: { ...common, ...headers }, body };
}
