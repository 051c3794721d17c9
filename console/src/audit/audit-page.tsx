import { Button, Stack } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useAddressFilter } from '../parts/address-filter';
import { ExportMenu } from '../parts/export-menu';
import { inParts, NextPart } from '../parts/next-part';
import { PageHeader } from '../parts/page-header';
import { Empty, Loaded } from '../parts/states';
import { AuditFilters } from './audit-filters';
import { AUDIT_FILTERS, EVENTS } from './audit-queries';
import { SealState } from './seal-state';
import { Trail } from './trail';

/** Who did what, who tried to, and whether the record of it can be trusted. */
export function AuditPage() {
  const { t } = useTranslation('audit');
  const [filter, setFilter] = useAddressFilter(AUDIT_FILTERS);
  const query = useInfiniteQuery(EVENTS(filter));
  const isNarrowed = Object.keys(filter).length > 0;
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('description')}
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconRefresh size={16} aria-hidden />}
              loading={query.isRefetching && !query.isFetchingNextPage}
              onClick={() => void query.refetch()}
            >
              {t('refresh')}
            </Button>
            <ExportMenu path="/patois/v1/audit-events/export" filter={filter} name="patois-audit" />
          </>
        }
      />
      <Stack>
        <SealState />
        {/* What the address says is what the fields say, also after a step back. */}
        <AuditFilters key={JSON.stringify(filter)} filter={filter} onFilter={setFilter} />
        <Loaded query={inParts(query)}>
          {({ pages }) => {
            const events = pages.flatMap(({ items }) => items);
            if (events.length === 0) return <Empty>{t(isNarrowed ? 'noneSuch' : 'empty')}</Empty>;
            return (
              <>
                <Trail events={events} />
                <NextPart list={query} />
              </>
            );
          }}
        </Loaded>
      </Stack>
    </>
  );
}
