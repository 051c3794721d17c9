import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Token } from './queries';

/** What can be asked for of a token of the list. */
export type TokenAction = 'rotate' | 'revoke';
export type OnAction = (token: Token, action: TokenAction) => void;

/** What can be done with a token from the list: one that is revoked stays as it is. */
export function TokenMenu({ token, onAction }: { token: Token; onAction: OnAction }) {
  const { t } = useTranslation('my-tokens');
  if (token.status === 'revoked') return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={t('list.actionsOf', { name: token.name })}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconRefresh size={16} aria-hidden />}
          onClick={() => onAction(token, 'rotate')}
        >
          {t('rotate.open')}
        </Menu.Item>
        <Menu.Item
          color="red"
          leftSection={<IconTrash size={16} aria-hidden />}
          onClick={() => onAction(token, 'revoke')}
        >
          {t('revoke.open')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
