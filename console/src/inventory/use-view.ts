import { useCallback, useMemo } from 'react';
import { useAddressFilter } from '../parts/address-filter';
import { FIRST_SORT, type Sort, SORT_FIELDS } from './queries';
import { FILTER_NAMES, type TokenFilter } from './token-filters';

const NAMES = [...FILTER_NAMES, 'sort'] as const;

/** What the table shows, as the address of the page has it. */
export interface View {
  filter: TokenFilter;
  sort: Sort;
  setFilter: (filter: TokenFilter, options?: { replace: boolean }) => void;
  setSort: (sort: Sort) => void;
}

export function useView(): View {
  const [address, setAddress] = useAddressFilter(NAMES);
  const { filter, sort } = useMemo(() => {
    const { sort: written, ...rest } = address;
    return { filter: rest as TokenFilter, sort: isSort(written) ? written : FIRST_SORT };
  }, [address]);
  const setFilter = useCallback<View['setFilter']>(
    (next, options) => setAddress({ ...next, sort: written(sort) }, options),
    [setAddress, sort],
  );
  const setSort = useCallback(
    (next: Sort) => setAddress({ ...filter, sort: written(next) }),
    [setAddress, filter],
  );
  return { filter, sort, setFilter, setSort };
}

/** The usual order needs no word in the address. */
function written(sort: Sort): string {
  return sort === FIRST_SORT ? '' : sort;
}

function isSort(text: string | undefined): text is Sort {
  return SORT_FIELDS.some((field) => text === field || text === `-${field}`);
}
