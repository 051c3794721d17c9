import { Button, Center } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Failed } from './states';

interface PagedQuery {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  error: unknown;
  fetchNextPage: () => unknown;
}

/** The way to the next part of a list that comes in parts, and why it did not come. */
export function More({ query }: { query: PagedQuery }) {
  const { t } = useTranslation();
  if (query.isFetchNextPageError) {
    return <Failed error={query.error} onRetry={() => void query.fetchNextPage()} />;
  }
  if (!query.hasNextPage) return null;
  return (
    <Center>
      <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {t('states.more')}
      </Button>
    </Center>
  );
}

/** What `Loaded` shows of such a list: that a further part did not come is told below it, by {@link More}. */
export function firstOf<Data>({
  data,
  error,
  refetch,
  isFetchNextPageError,
}: {
  data: Data | undefined;
  error: unknown;
  refetch: () => unknown;
  isFetchNextPageError: boolean;
}) {
  return { data, error: isFetchNextPageError ? null : error, refetch };
}
