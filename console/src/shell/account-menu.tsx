import { Button, Menu, Text } from '@mantine/core';
import { IconUser } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Me } from '../api/me';
import { endSession } from '../api/session';
import { notifyFailed } from '../parts/notify';

/** Who is signed in, and the way out. */
export function AccountMenu({ me: { user } }: { me: Me }) {
  const { t } = useTranslation();
  const signOut = (): void => {
    endSession().catch(() => notifyFailed(t('account.signOutFailed'), t('problems.noAnswer')));
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          variant="default"
          aria-label={t('account.title', { login: user.login })}
          leftSection={<IconUser size={16} aria-hidden />}
          px="sm"
        >
          <Text span inherit maw={120} truncate>
            {user.name ?? user.login}
          </Text>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} href="/account">
          {t('pages.account')}
          <Text size="xs" c="dimmed" maw={260}>
            {user.login} · {user.organization.name} · {t(`roles.${user.role}`)}
          </Text>
        </Menu.Item>
        <Menu.Item onClick={signOut}>{t('account.signOut')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
