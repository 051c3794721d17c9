import { Button, Group, Modal, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type TokenFilter, type TokenFilterName } from '../token-filters';
import { FilterInput } from './filter-input';

/** Asks for the value of one filter, by what fits it. */
export function FilterDialog({
  name,
  filter,
  onFilter,
  onClose,
}: {
  name: TokenFilterName | undefined;
  filter: TokenFilter;
  onFilter: (filter: TokenFilter) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('inventory');
  return (
    <Modal
      opened={name !== undefined}
      onClose={onClose}
      title={name && t(`filters.names.${name}`)}
      closeButtonProps={{ 'aria-label': t('shell:confirm.close') }}
    >
      {name && <FilterForm key={name} {...{ name, filter, onFilter, onClose }} />}
    </Modal>
  );
}

function FilterForm({
  name,
  filter,
  onFilter,
  onClose,
}: {
  name: TokenFilterName;
  filter: TokenFilter;
  onFilter: (filter: TokenFilter) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('inventory');
  const [value, setValue] = useState(filter[name] ?? '');
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (value.trim() !== '') onFilter({ ...filter, [name]: value.trim() });
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <FilterInput name={name} value={value} onValue={setValue} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('shell:confirm.cancel')}
          </Button>
          <Button type="submit" disabled={value.trim() === ''}>
            {t('filters.apply')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
