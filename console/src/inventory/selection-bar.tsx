import { Button, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBan } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { FilterRevocation } from './revoking/filter-revocation';
import { RowRevocation } from './revoking/row-revocation';
import type { TokenFilter } from './token-filters';
import type { Selection } from './use-selection';

/** What is chosen, and what can be done with it. */
export function SelectionBar({
  filter,
  selection,
  total,
}: {
  filter: TokenFilter;
  selection: Selection;
  /** How many the filters mean; undefined: nobody knows yet. */
  total: number | undefined;
}) {
  const { t, i18n } = useTranslation('inventory');
  const [isRevoking, { open, close }] = useDisclosure();
  const { ids, isAll, chooseAll, clear } = selection;
  const number = (value: number): string => new Intl.NumberFormat(i18n.language).format(value);
  const isSome = isAll || ids.size > 0;
  const Revocation = isAll ? FilterRevocation : RowRevocation;
  return (
    <Group gap="sm" className="selection-bar" role="group" aria-label={t('selection.title')}>
      <Text size="sm" role="status">
        {isAll ? t('selection.all') : t('selection.count', { count: ids.size, number: number(ids.size) })}
      </Text>
      {!isAll && total !== 0 && (
        <Button size="compact-sm" variant="default" onClick={chooseAll}>
          {total === undefined
            ? t('selection.chooseAll')
            : t('selection.chooseAllOf', { count: total, number: number(total) })}
        </Button>
      )}
      {isSome && (
        <>
          <Button size="compact-sm" variant="default" onClick={clear}>
            {t('selection.clear')}
          </Button>
          <Button
            size="compact-sm"
            color="red"
            leftSection={<IconBan size={14} aria-hidden />}
            onClick={open}
          >
            {t('revoke.open')}
          </Button>
        </>
      )}
      <Revocation
        filter={filter}
        tokens={[...ids.values()]}
        isOpen={isRevoking}
        onClose={close}
        onDone={clear}
      />
    </Group>
  );
}
