import { Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../parts/page-header';
import { Places } from './places';

/** Organizations, each with people, tokens and a policy of its own; and locations, which people have. */
export function OrganizationsPage() {
  const { t } = useTranslation('organizations');
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <Stack gap="lg">
        <Places kind="organizations" />
        <Places kind="locations" />
      </Stack>
    </>
  );
}
