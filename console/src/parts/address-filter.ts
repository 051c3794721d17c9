import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';

/** What a list is narrowed to, by name; what is not there does not narrow it. */
export type Filter<Name extends string> = Partial<Record<Name, string>>;

/** `replace`: the way back leads past what was shown until now, such as a text that was not yet typed to its end. */
export type SetFilter<Name extends string> = (filter: Filter<Name>, options?: { replace: boolean }) => void;

/** The filter of a list as the address of the page has it: a link to the page shows the same list. */
export function useAddressFilter<Name extends string>(
  names: readonly Name[],
): [Filter<Name>, SetFilter<Name>] {
  const [parameters, setParameters] = useSearchParams();
  const filter = useMemo(() => {
    const found: Filter<Name> = {};
    for (const name of names) {
      const value = parameters.get(name);
      if (value) found[name] = value;
    }
    return found;
  }, [names, parameters]);
  const setFilter = useCallback<SetFilter<Name>>(
    (next, options) => setParameters(Object.entries<string | undefined>(next).filter(hasValue), options),
    [setParameters],
  );
  return [filter, setFilter];
}

function hasValue(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined && entry[1] !== '';
}
