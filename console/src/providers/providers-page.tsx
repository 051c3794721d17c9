import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../parts/page-header';
import { Loaded } from '../parts/states';
import { NoProvider } from './no-provider';
import { ProviderCard } from './provider-card';
import { PROVIDERS } from './provider-queries';

/** The identity providers that people sign in by, as the server's settings have them. */
export function ProvidersPage() {
  const { t } = useTranslation('providers');
  const query = useQuery(PROVIDERS);
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <NoProvider />
          ) : (
            <Stack>
              {items.map(({ name, title }) => (
                <ProviderCard key={name} name={name} title={title} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </>
  );
}
