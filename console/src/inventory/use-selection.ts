import { useCallback, useState } from 'react';
import type { Token } from './queries';

/** Which tokens are chosen: some of the rows, or all that the filters mean, also those that were not read. */
export interface Selection {
  readonly ids: ReadonlyMap<string, Token>;
  readonly isAll: boolean;
  /** With `isRange`, all rows from the one that was chosen before to this one become as this one. */
  choose: (rows: readonly Token[], index: number, isRange: boolean) => void;
  chooseRows: (rows: readonly Token[]) => void;
  chooseAll: () => void;
  clear: () => void;
}

interface State {
  ids: ReadonlyMap<string, Token>;
  isAll: boolean;
  /** The row that a range goes out from. */
  last: number | undefined;
}

const NOTHING: State = { ids: new Map(), isAll: false, last: undefined };

export function useSelection(): Selection {
  const [{ ids, isAll, last }, setState] = useState(NOTHING);
  const choose = useCallback(
    (rows: readonly Token[], index: number, isRange: boolean) => {
      const row = rows[index];
      if (!row) return;
      const isWanted = isAll ? false : !ids.has(row.tokenId);
      const from = isRange && last !== undefined ? Math.min(last, index) : index;
      const to = isRange && last !== undefined ? Math.max(last, index) : index;
      const next = new Map(isAll ? rows.map((one) => [one.tokenId, one]) : ids);
      for (const one of rows.slice(from, to + 1)) {
        if (isWanted) next.set(one.tokenId, one);
        else next.delete(one.tokenId);
      }
      setState({ ids: next, isAll: false, last: index });
    },
    [ids, isAll, last],
  );
  const chooseRows = useCallback((rows: readonly Token[]) => {
    setState({ ...NOTHING, ids: new Map(rows.map((row) => [row.tokenId, row])) });
  }, []);
  const chooseAll = useCallback(() => setState({ ...NOTHING, isAll: true }), []);
  const clear = useCallback(() => setState(NOTHING), []);
  return { ids, isAll, choose, chooseRows, chooseAll, clear };
}
