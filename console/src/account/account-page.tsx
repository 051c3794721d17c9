import { SimpleGrid, Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useMe } from '../api/me';
import { PageHeader } from '../parts/page-header';
import { AccountFacts } from './account-facts';
import { AccountPreferences } from './account-preferences';
import { AccountSessions } from './account-sessions';
import { PasswordForm } from './password-form';

/** Who I am here, how I sign in, and where I am signed in. */
export function AccountPage() {
  // The words of its parts as well: a part that waits for its own would hide the page again.
  const { t } = useTranslation(['account', 'events', 'sign-in']);
  const { user } = useMe();
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <Stack>
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          <Stack>
            <AccountFacts user={user} />
            <AccountPreferences />
          </Stack>
          <PasswordForm login={user.login} />
        </SimpleGrid>
        <AccountSessions />
      </Stack>
    </>
  );
}
