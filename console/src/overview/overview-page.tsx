import './overview.css';
import { ActionIcon, Group, Select, SimpleGrid, Stack, Text } from '@mantine/core';
import { useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { administersAll, useMe } from '../api/me';
import { allPlaces } from '../api/places';
import { tokenSummary } from '../inventory/queries';
import type { TokenFilter } from '../inventory/token-filters';
import { useAddressFilter } from '../parts/address-filter';
import { Card } from '../parts/card';
import { PageHeader } from '../parts/page-header';
import { Empty, Failed, Loaded } from '../parts/states';
import { ExpiryCalendar } from './expiry-calendar';
import { NumberLink } from './number-link';
import { type Numbers, numbersOf } from './numbers';
import { AgeCard, DialectCard, StatusCard } from './cards';
import { ShareTile } from './share-tile';

const FILTERS = ['organization'] as const;
const WITHIN = ['within7Days', 'within30Days', 'within90Days'] as const;

/** What there is, in pictures, and what needs a look. */
export function OverviewPage() {
  const { t } = useTranslation('overview');
  const [{ organization }, setFilter] = useAddressFilter(FILTERS);
  const isFetching = useIsFetching({ queryKey: ['tokens', 'summary'] }) > 0;
  const queries = useQueryClient();
  const base: TokenFilter = organization === undefined ? {} : { organization };
  const query = useQuery(tokenSummary(base));
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('description')}
        actions={
          <>
            {administersAll(useMe()) && (
              <OrganizationSelect
                value={organization}
                onValue={(next) => setFilter({ organization: next ?? '' })}
              />
            )}
            <ActionIcon
              variant="default"
              size="lg"
              loading={isFetching}
              aria-label={t('refresh')}
              onClick={() => void queries.invalidateQueries({ queryKey: ['tokens', 'summary'] })}
            >
              <IconRefresh size={18} aria-hidden />
            </ActionIcon>
          </>
        }
      />
      <Loaded query={query}>
        {(summary) =>
          summary.total === 0 ? (
            <Empty>{t('empty')}</Empty>
          ) : (
            <Picture numbers={numbersOf(summary, base)} base={base} />
          )
        }
      </Loaded>
    </>
  );
}

function OrganizationSelect({
  value,
  onValue,
}: {
  value: string | undefined;
  onValue: (name: string | null) => void;
}) {
  const { t } = useTranslation('overview');
  const { data = [] } = useQuery(allPlaces('organizations'));
  const names = data.map(({ name }) => name);
  return (
    <Select
      aria-label={t('organization')}
      placeholder={t('allOrganizations')}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('clearOrganization') }}
      // One of the address is shown before the list has come, and where it is none of it.
      data={value === undefined || names.includes(value) ? names : [value, ...names]}
      limit={100}
      value={value ?? null}
      onChange={onValue}
    />
  );
}

function Picture({ numbers, base }: { numbers: Numbers; base: TokenFilter }) {
  const { t } = useTranslation('overview');
  const { total, attention, expiring } = numbers;
  return (
    <Stack gap="md">
      <Group gap={6} align="baseline">
        <NumberLink of={total} label={t('total', { count: total.count })} size="2.2rem" />
        <Text>{t('total', { count: total.count })}</Text>
      </Group>
      <Card title={t('attention')}>
        <SimpleGrid component="ul" className="plain-list" cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm">
          {(Object.keys(attention) as (keyof typeof attention)[]).map((name) => (
            <ShareTile key={name} label={t(name)} of={attention[name]} total={total.count} />
          ))}
          <BreakingTile base={base} total={total.count} />
        </SimpleGrid>
      </Card>
      <SimpleGrid cols={{ base: 1, md: 3 }} spacing="md">
        <StatusCard numbers={numbers} />
        <DialectCard numbers={numbers} />
        <AgeCard numbers={numbers} />
      </SimpleGrid>
      <Card title={t('expiring')}>
        <Text size="sm" c="dimmed">
          {t('expiringAbout')}
        </Text>
        <Group gap="lg" component="ul" className="plain-list" title={t('withinAbout')}>
          {WITHIN.map((name) => (
            <Group key={name} gap={6} component="li">
              <Text size="sm">{t(`within.${name}`)}</Text>
              <NumberLink of={expiring[name]} label={t(`within.${name}`)} size="md" />
            </Group>
          ))}
        </Group>
        <ExpiryCalendar base={base} />
      </Card>
    </Stack>
  );
}

/** Counted by itself: it looks at the policy of each organization. */
function BreakingTile({ base, total }: { base: TokenFilter; total: number }) {
  const { t } = useTranslation('overview');
  const filter: TokenFilter = { ...base, violatesPolicy: 'true' };
  const { data, error, refetch } = useQuery(tokenSummary(filter));
  if (data) {
    return <ShareTile label={t('violatesPolicy')} of={{ count: data.total, filter }} total={total} />;
  }
  return (
    <li className="share-tile" aria-busy={!error}>
      <Text size="sm">{t('violatesPolicy')}</Text>
      {error ? <Failed error={error} onRetry={() => void refetch()} /> : <Text>…</Text>}
    </li>
  );
}
