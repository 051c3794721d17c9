import { Anchor, Button, SegmentedControl, Stack, Table, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { IconRepeat } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answerOf, client } from '../api/client';
import { Card } from '../parts/card';
import { Problem } from '../parts/confirm-dialog';
import { Moment } from '../parts/moment';
import { inParts, NextPart } from '../parts/next-part';
import { notifyDone } from '../parts/notify';
import { Empty, Loaded } from '../parts/states';
import { type Channel, DELIVERIES, type Delivery, type DeliveryStatus, isWaiting } from './channel-queries';
import { DeliveryState } from './channel-words';

const STATUSES = ['all', 'delivered', 'waiting', 'failed'] as const;

/** What was sent to a channel in the last 30 days, or waits to be. */
export function Deliveries({ channel }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  const [status, setStatus] = useState<DeliveryStatus | 'all'>('all');
  const query = useInfiniteQuery(DELIVERIES(channel.id, status === 'all' ? undefined : status));
  return (
    <Card
      title={t('deliveries.title')}
      actions={
        <SegmentedControl
          aria-label={t('deliveries.status')}
          size="xs"
          value={status}
          onChange={setStatus}
          data={STATUSES.map((value) => ({ value, label: t(`deliveries.statuses.${value}`) }))}
        />
      }
    >
      <Loaded query={inParts(query)}>
        {({ pages }) => {
          const deliveries = pages.flatMap(({ items }) => items);
          if (deliveries.length === 0) {
            return <Empty>{t(status === 'all' ? 'deliveries.empty' : 'deliveries.noneSuch')}</Empty>;
          }
          return (
            <Stack>
              <DeliveryTable channel={channel} deliveries={deliveries} />
              <NextPart list={query} />
            </Stack>
          );
        }}
      </Loaded>
    </Card>
  );
}

function DeliveryTable({ channel, deliveries }: { channel: Channel; deliveries: Delivery[] }) {
  const { t } = useTranslation('channels');
  return (
    <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table aria-label={t('deliveries.title')} verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('deliveries.event')}</Table.Th>
            <Table.Th scope="col">{t('deliveries.occurredAt')}</Table.Th>
            <Table.Th scope="col">{t('deliveries.status')}</Table.Th>
            <Table.Th scope="col">{t('deliveries.attempts')}</Table.Th>
            <Table.Th scope="col">{t('deliveries.answer')}</Table.Th>
            <Table.Th scope="col">{t('deliveries.again')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {deliveries.map((delivery) => (
            <DeliveryRow key={delivery.id} channel={channel} delivery={delivery} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function DeliveryRow({ channel, delivery }: { channel: Channel; delivery: Delivery }) {
  const { t } = useTranslation('channels');
  const { event, occurredAt, status, attempts, attemptedAt } = delivery;
  const name = t(`events.${event}.name`, { defaultValue: event });
  return (
    <Table.Tr>
      <Table.Td>
        <Text fw={600} size="sm">
          {name}
        </Text>
        <About delivery={delivery} />
      </Table.Td>
      <Table.Td>
        <Moment at={occurredAt} />
      </Table.Td>
      <Table.Td>
        <DeliveryState status={status} />
      </Table.Td>
      <Table.Td>
        {attempts}
        {attemptedAt !== null && (
          <Text size="sm">
            {t('deliveries.last')} <Moment at={attemptedAt} />
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Answer delivery={delivery} />
      </Table.Td>
      <Table.Td>
        {!isWaiting(delivery) && <Redeliver channel={channel} delivery={delivery} name={name} />}
      </Table.Td>
    </Table.Tr>
  );
}

/** The token that a delivery tells of. */
function About({ delivery: { data } }: { delivery: Delivery }) {
  const token = data['token'] as { tokenId: string; name: string } | undefined;
  if (!token) return null;
  return (
    <Anchor component={Link} href={`/token/${token.tokenId}`} size="sm" className="anywhere">
      {token.name}
    </Anchor>
  );
}

function Answer({ delivery: { status, responseStatus, error, nextAttemptAt } }: { delivery: Delivery }) {
  const { t } = useTranslation('channels');
  if (error === null && responseStatus === null) return status === 'delivered' ? t('test.taken') : '—';
  return (
    <Stack gap={2}>
      <Text size="sm" className="anywhere">
        {error ?? t('deliveries.answered', { status: responseStatus })}
      </Text>
      {nextAttemptAt !== null && (
        <Text size="sm">
          {t('deliveries.next')} <Moment at={nextAttemptAt} />
        </Text>
      )}
    </Stack>
  );
}

function Redeliver({ channel, delivery, name }: { channel: Channel; delivery: Delivery; name: string }) {
  const { t } = useTranslation('channels');
  const queries = useQueryClient();
  const again = useMutation({
    mutationFn: () =>
      answerOf(
        client.POST('/patois/v1/notice-channels/{id}/deliveries/{deliveryId}/redeliver', {
          params: { path: { id: channel.id, deliveryId: delivery.id } },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['channels', 'deliveries', channel.id] });
      notifyDone(t('deliveries.queued'));
    },
  });
  return (
    <Stack gap="xs" align="flex-start">
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRepeat size={14} aria-hidden />}
        disabled={!channel.enabled}
        loading={again.isPending}
        aria-label={t('deliveries.redeliverOf', { event: name })}
        onClick={() => again.mutate()}
      >
        {t('deliveries.redeliver')}
      </Button>
      {again.error && <Problem error={again.error} />}
    </Stack>
  );
}
