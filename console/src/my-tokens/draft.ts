import type { Schemas } from '../api/client';
import { ApiProblem } from '../api/problem';
import { contains, isFault, parseCidr } from '../parts/cidr';
import { dateFault, type Expiry, expiresAtOf } from './expiry';
import type { Policy } from './queries';
import { isRepetition } from './use-secret-call';

/** What a person has typed and chosen of a token that is to be made. */
export interface TokenDraft {
  dialect: string;
  name: string;
  description: string;
  scopes: string[];
  expiry: Expiry;
  /** Of the input; counts where `expiry` is `date`. */
  date: string;
  /** Blocks, a line each. */
  cidrs: string;
}

export type Field = 'name' | 'description' | 'scopes' | 'expiry' | 'cidrs';

/** Where the server tells what is wrong: the keys of the body, and the rules of the policy. */
const POINTERS: Record<Field, string[]> = {
  name: ['/name'],
  description: ['/description'],
  scopes: ['/scopes'],
  expiry: ['/expiresAt', '/maxLifetimeSeconds', '/allowNonExpiring'],
  cidrs: ['/allowedCidrs', '/requireCidrs'],
};

export function linesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((line) => line !== '');
}

/** Whether blocks can be sent: each is one, and lies within those of the policy. */
export function areBlocksRight(text: string, { allowedCidrs, requireCidrs }: Policy): boolean {
  const lines = linesOf(text);
  if (lines.length === 0) return !requireCidrs || allowedCidrs.length > 0;
  return lines.every((line) => {
    const block = parseCidr(line);
    return !isFault(block) && isWithin(block, allowedCidrs);
  });
}

/** Whether a block lies within one of others; none are everywhere. */
export function isWithin(block: Parameters<typeof contains>[1], bounds: readonly string[]): boolean {
  if (bounds.length === 0) return true;
  return bounds.some((text) => {
    const bound = parseCidr(text);
    return !isFault(bound) && contains(bound, block);
  });
}

/** Whether a draft can be sent. The server has the last word. */
export function isComplete(draft: TokenDraft, policy: Policy, now: number): boolean {
  return (
    draft.name.trim() !== '' &&
    draft.scopes.length > 0 &&
    (draft.expiry !== 'date' || dateFault(draft.date, policy, now) === undefined) &&
    areBlocksRight(draft.cidrs, policy)
  );
}

export function bodyOf(
  draft: TokenDraft,
  owner: string,
  policy: Policy,
  now: number,
): Schemas['CreateToken'] {
  const description = draft.description.trim();
  const allowedCidrs = linesOf(draft.cidrs);
  const expiresAt = expiresAtOf(draft.expiry, draft.date, policy, now);
  return {
    dialect: draft.dialect,
    owner,
    name: draft.name.trim(),
    scopes: draft.scopes,
    ...(description === '' ? {} : { description }),
    ...(allowedCidrs.length === 0 ? {} : { allowedCidrs }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** What the server says of each field; what is about none of them is for the whole form. */
export function fieldErrors(error: unknown): Partial<Record<Field, string>> {
  if (!(error instanceof ApiProblem)) return {};
  // Of a name that is taken the server gives no pointer.
  if (error.status === 409 && !isRepetition(error)) return { name: error.message };
  const found: Partial<Record<Field, string>> = {};
  for (const [field, pointers] of Object.entries(POINTERS) as [Field, string[]][]) {
    const own = error.errors.filter((one) =>
      pointers.some((pointer) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`)),
    );
    if (own.length > 0) found[field] = own.map(({ detail }) => detail).join(' ');
  }
  return found;
}
