import { Button, Center } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Failed } from './states';

interface ListInParts {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  error: unknown;
  fetchNextPage: () => unknown;
}

/** How far below the screen the end of a list is when its next part is read. */
const AHEAD = '400px';

/** The end of a list that comes in parts: reads the next one when it comes near, or when it is asked for. */
export function NextPart({ list }: { list: ListInParts }) {
  const { t } = useTranslation();
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  useEffect(() => {
    const element = end.current;
    if (!element || !hasNextPage || isFetchingNextPage || isFetchNextPageError) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) void fetchNextPage();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  if (isFetchNextPageError) return <Failed error={list.error} onRetry={() => void fetchNextPage()} />;
  if (!hasNextPage) return null;
  return (
    <Center ref={end} p="md">
      <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {t('states.more')}
      </Button>
    </Center>
  );
}

/** Such a list as `Loaded` takes it: that a further part did not come is told at its end, not above it. */
export function inParts<Data>(
  query: { data: Data | undefined; error: unknown; refetch: () => unknown } & Pick<
    ListInParts,
    'isFetchNextPageError'
  >,
): { data: Data | undefined; error: unknown; refetch: () => unknown } {
  const { data, error, refetch, isFetchNextPageError } = query;
  return { data, error: isFetchNextPageError ? null : error, refetch };
}
