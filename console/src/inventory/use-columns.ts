import { useLocalStorage } from '@mantine/hooks';
import { useMemo } from 'react';
import { COLUMNS, type ColumnName, HIDDEN_AT_FIRST } from './columns';

/** Which columns somebody has chosen on this device: names of columns, nothing of what is in them. */
export function useColumns(): {
  visibility: Record<string, boolean>;
  toggle: (name: ColumnName) => void;
} {
  const [hidden, setHidden] = useLocalStorage<ColumnName[]>({
    key: 'patois.inventory.hidden-columns',
    defaultValue: [...HIDDEN_AT_FIRST],
    getInitialValueInEffect: false,
    deserialize: hiddenOf,
  });
  const visibility = useMemo(
    () => Object.fromEntries(COLUMNS.map((name) => [name, !hidden.includes(name)])),
    [hidden],
  );
  const toggle = (name: ColumnName): void =>
    setHidden(hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name]);
  return { visibility, toggle };
}

function hiddenOf(text: string | undefined): ColumnName[] {
  try {
    const kept: unknown = JSON.parse(text ?? '');
    if (Array.isArray(kept)) return COLUMNS.filter((name) => name !== 'name' && kept.includes(name));
  } catch {
    // Somebody else wrote it.
  }
  return [...HIDDEN_AT_FIRST];
}
