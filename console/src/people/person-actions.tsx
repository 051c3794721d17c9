import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconLock, IconLockOpen, IconPencil, IconTrash } from '@tabler/icons-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useMe } from '../api/me';
import type { Person } from './people-queries';
import { mayActFor, mayChange } from './rights';

export type PersonAction = 'edit' | 'disable' | 'enable' | 'delete';

/** What can be done to somebody by who looks at the list; nothing that the server would refuse. */
export function PersonActions({
  person,
  onChoose,
}: {
  person: Person;
  onChoose: (action: PersonAction) => void;
}) {
  const { t } = useTranslation('people');
  const me = useMe();
  const button = useRef<HTMLButtonElement>(null);
  if (!mayChange(me, person)) return null;
  const isMe = me.user.id === person.id;
  const choose = (action: PersonAction): void => {
    // A dialog gives the focus back to what had it, and the menu will be gone.
    button.current?.focus();
    onChoose(action);
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          ref={button}
          variant="subtle"
          color="gray"
          aria-label={t('actions.title', { login: person.login })}
        >
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => choose('edit')}>
          {t('actions.edit')}
        </Menu.Item>
        {person.disabled && mayActFor(me, person) && (
          <Menu.Item leftSection={<IconLockOpen size={16} aria-hidden />} onClick={() => choose('enable')}>
            {t('actions.enable')}
          </Menu.Item>
        )}
        {!person.disabled && !isMe && (
          <Menu.Item leftSection={<IconLock size={16} aria-hidden />} onClick={() => choose('disable')}>
            {t('actions.disable')}
          </Menu.Item>
        )}
        {!isMe && (
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => choose('delete')}>
            {t('actions.delete')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
