import { Button, Menu } from '@mantine/core';
import { IconColumns } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { COLUMNS, type ColumnName } from './columns';

/** Which columns the table has. */
export function ColumnMenu({
  visibility,
  onToggle,
}: {
  visibility: Record<string, boolean>;
  onToggle: (name: ColumnName) => void;
}) {
  const { t } = useTranslation('inventory');
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<IconColumns size={16} aria-hidden />}>
          {t('columns.title')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {COLUMNS.filter((name) => name !== 'name').map((name) => (
          <Menu.CheckboxItem key={name} checked={visibility[name] ?? false} onChange={() => onToggle(name)}>
            {t(`columns.${name}`)}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
