import { Alert, Button, Center, Group, Loader, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api/problem';

/** While nothing can be shown yet. */
export function Loading() {
  const { t } = useTranslation();
  return (
    <Center mih={120} role="status" aria-label={t('states.loading')}>
      <Loader />
    </Center>
  );
}

/** A list without rows: why, and what to do about it. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <Center mih={120} p="md">
      <Stack align="center" gap="sm">
        <Text c="dimmed" ta="center">
          {children}
        </Text>
        {action}
      </Stack>
    </Center>
  );
}

/** What could not be read, why, and the way to try again. */
export function Failed({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const { t } = useTranslation();
  return (
    <Alert color="red" title={t('states.failed')} role="alert">
      <Group justify="space-between" align="center">
        <Text size="sm">{useProblemText(error)}</Text>
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t('states.retry')}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

/** What went wrong, as a person is told: in their language as far as the kind of it is known. */
export function useProblemText(error: unknown): string {
  const { t } = useTranslation();
  if (!(error instanceof ApiProblem)) return t('problems.unexpected');
  if (error.status === 0) return t('problems.noAnswer');
  if (error.status === 403) return `${t('problems.forbidden')} ${error.message}`;
  if (error.status === 404) return t('problems.notFound');
  if (error.status === 429) return t('problems.tooMany', { seconds: error.retryAfterSeconds ?? 1 });
  if (error.status >= 500) return t('problems.server');
  const details = error.errors.map(({ detail }) => detail);
  return [error.message, ...details.filter((one) => one !== error.message)].join(' ');
}

/** The parts of a page that comes from a query: loading, failed or shown. */
export function Loaded<Data>({
  query,
  children,
}: {
  query: { data: Data | undefined; error: unknown; refetch: () => unknown };
  children: (data: Data) => ReactNode;
}) {
  const { data, error, refetch } = query;
  if (data !== undefined) {
    return (
      <>
        {error !== null && <Failed error={error} onRetry={() => void refetch()} />}
        {children(data)}
      </>
    );
  }
  if (error !== null) return <Failed error={error} onRetry={() => void refetch()} />;
  return <Loading />;
}
