import { CidrError, normalizeCidrs } from '../network/cidr.js';
import type { Refusal } from '../refusal.js';

/**
 * The CIDR blocks of the input, without those that repeat an earlier one.
 *
 * @param refuse words what is wrong with the entry at an index.
 * @throws {Refusal} what `refuse` gives, for the first that is no block.
 */
export function checkedCidrs(
  entries: readonly string[],
  refuse: (message: string, index: number) => Refusal,
): string[] {
  for (const [index, entry] of entries.entries()) {
    try {
      normalizeCidrs([entry]);
    } catch (error) {
      if (!(error instanceof CidrError)) throw error;
      throw refuse(error.message, index);
    }
  }
  return normalizeCidrs(entries);
}
