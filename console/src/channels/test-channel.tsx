import { Button, Group, Loader, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconSend } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { Callout } from '../parts/callout';
import { Card } from '../parts/card';
import { Problem } from '../parts/confirm-dialog';
import { Moment } from '../parts/moment';
import { type Channel, type Delivery, isUntried, NEW_DELIVERY } from './channel-queries';

/** Sends a notice that says nothing, and tells what came of it. */
export function TestChannel({ channel: { id, enabled } }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () =>
      answerOf(client.POST('/patois/v1/notice-channels/{id}/test', { params: { path: { id } } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['channels', 'deliveries', id] }),
  });
  return (
    <Card title={t('test.title')}>
      <Group justify="space-between">
        <Text size="sm" maw={520}>
          {t(enabled ? 'test.text' : 'test.disabled')}
        </Text>
        <Button
          leftSection={<IconSend size={16} aria-hidden />}
          loading={test.isPending}
          disabled={!enabled}
          onClick={() => test.mutate()}
        >
          {t('test.action')}
        </Button>
      </Group>
      {test.error && <Problem error={test.error} />}
      {test.data && <TestOutcome key={test.data.id} channel={id} asked={test.data} />}
    </Card>
  );
}

function TestOutcome({ channel, asked }: { channel: string; asked: Delivery }) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const { data: delivery, error } = useQuery(NEW_DELIVERY(channel, asked));
  const isKnown = !isUntried(delivery);
  useEffect(() => {
    if (isKnown) void queries.invalidateQueries({ queryKey: ['channels'], predicate: isShown });
  }, [isKnown, queries]);
  if (error) return <Problem error={error} />;
  if (!isKnown) {
    return (
      <Group gap="xs" role="status">
        <Loader size="xs" aria-hidden />
        <Text size="sm">{t('test.underWay')}</Text>
      </Group>
    );
  }
  if (delivery.status === 'delivered') {
    const { responseStatus } = delivery;
    return (
      <Callout tone="good" title={t('test.delivered')} role="status">
        {responseStatus === null ? t('test.taken') : t('test.answered', { status: responseStatus })}
      </Callout>
    );
  }
  return (
    <Callout tone="danger" title={t('test.failed')}>
      <Stack gap={4}>
        <Text size="sm">{delivery.error}</Text>
        {delivery.nextAttemptAt !== null && (
          <Text size="sm">
            {t('deliveries.next')} <Moment at={delivery.nextAttemptAt} />
          </Text>
        )}
      </Stack>
    </Callout>
  );
}

/** The outcome itself is not asked for again by what it causes. */
function isShown({ queryKey: [, part] }: { queryKey: readonly unknown[] }): boolean {
  return part !== 'newDelivery';
}
