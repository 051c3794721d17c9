import { Refusal } from '../../refusal.js';
import type { Policy } from '../../tokens/policy/policy.entity.js';

/** RFC 9110, 8.8.3: an entity tag, with `W/` where it is weak. */
const ENTITY_TAG = /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;
const MAX_TAGS = 100;

/** The strong entity tag of a policy: another one with each change. */
export function entityTagOf({ version }: Pick<Policy, 'version'>): string {
  return `"${version}"`;
}

/**
 * What `If-Match` asks of a policy (RFC 9110, 13.1.1): undefined and `*` nothing, as there always is one, a list that one
 * of its tags is the policy's. A weak one never is.
 *
 * @throws {Refusal} invalid for what is neither.
 */
export function expectationOf(ifMatch: string | undefined): (policy: Policy) => boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return () => true;
  // A tag of a policy has no comma, so one with a comma, in two parts here, is no list of them.
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.length > MAX_TAGS || !tags.every((tag) => ENTITY_TAG.test(tag))) {
    throw new Refusal('invalid', { message: 'If-Match must be * or a list of entity tags' });
  }
  return (policy) => tags.includes(entityTagOf(policy));
}
