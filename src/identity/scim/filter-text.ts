import { type Filter, parse } from 'scim2-parse-filter';
import { refuseInput } from './refusals.js';

const MAX_CHARACTERS = 1_000;
const MAX_COMPARISONS = 20;

/** A comparison: `userName eq "ada"`, `externalId pr`. */
export type Comparison = Extract<Filter, { attrPath: string }> & { op: Exclude<Filter['op'], '[]'> };

/**
 * Parses a filter of RFC 7644, 3.4.2.2. Its length bounds its depth and what the parser costs.
 *
 * @throws {Refusal} invalidFilter.
 */
export function parseFilter(text: string): Filter {
  if (text.length > MAX_CHARACTERS) {
    throw refuseInput('invalidFilter', `The filter has more than ${MAX_CHARACTERS} characters`, ['filter']);
  }
  let filter: Filter;
  try {
    filter = parse(text);
  } catch (error) {
    throw refuseInput('invalidFilter', `The filter cannot be read: ${(error as Error).message}`, ['filter']);
  }
  if (comparisonsOf(filter) > MAX_COMPARISONS) {
    throw refuseInput('invalidFilter', `The filter has more than ${MAX_COMPARISONS} comparisons`, ['filter']);
  }
  return filter;
}

function comparisonsOf(filter: Filter): number {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.filters.reduce((sum, one) => sum + comparisonsOf(one), 0);
    case 'not':
      return comparisonsOf(filter.filter);
    case '[]':
      return comparisonsOf(filter.valFilter);
    default:
      return 1;
  }
}
