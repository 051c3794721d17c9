import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';

export type Channel = Schemas['NoticeChannel'];
export type ChannelEvent = Channel['events'][number];
export type Delivery = Schemas['NoticeDelivery'];
export type DeliveryStatus = Delivery['status'];

/** What a channel can be told of, with what is urgent first. */
export const CHANNEL_EVENTS: readonly ChannelEvent[] = [
  'token.leaked',
  'token.reused',
  'token.newAddress',
  'token.expiring',
  'token.expired',
  'token.revokedByPolicy',
  'policy.changed',
];

const WAITING_POLL_MS = 2_000;
const TEST_POLL_MS = 700;
/** A delivery that was just asked for is among so many of the newest. */
const NEWEST = 20;

/** The channels that the caller administers, newest first. */
export const CHANNELS = infiniteQueryOptions({
  queryKey: ['channels', 'list'],
  queryFn: ({ pageParam: cursor }) =>
    answerOf(
      client.GET('/patois/v1/notice-channels', {
        params: { query: cursor === undefined ? {} : { cursor } },
      }),
    ),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
});

export const CHANNEL = (id: string) =>
  queryOptions({
    queryKey: ['channels', 'one', id],
    queryFn: () => answerOf(client.GET('/patois/v1/notice-channels/{id}', { params: { path: { id } } })),
  });

function deliveriesOf(
  id: string,
  query: { cursor?: string; limit?: number; status?: DeliveryStatus },
): Promise<Schemas['NoticeDeliveryPage']> {
  return answerOf(
    client.GET('/patois/v1/notice-channels/{id}/deliveries', { params: { path: { id }, query } }),
  );
}

/** What was sent to a channel, or waits to be, newest first; asked for again while something waits. */
export const DELIVERIES = (id: string, status: DeliveryStatus | undefined) =>
  infiniteQueryOptions({
    queryKey: ['channels', 'deliveries', id, status],
    queryFn: ({ pageParam: cursor }) =>
      deliveriesOf(id, { ...(cursor !== undefined && { cursor }), ...(status && { status }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(({ items }) => items.some(isWaiting)) ? WAITING_POLL_MS : false,
  });

/** How one delivery goes that was just asked for, until it was tried. */
export const NEW_DELIVERY = (channel: string, asked: Delivery) =>
  queryOptions({
    queryKey: ['channels', 'newDelivery', channel, asked.id, asked.queuedAt],
    queryFn: async () => {
      const { items } = await deliveriesOf(channel, { limit: NEWEST });
      return items.find(({ id }) => id === asked.id) ?? asked;
    },
    initialData: asked,
    initialDataUpdatedAt: 0,
    refetchInterval: ({ state: { data } }) => (data && isUntried(data) ? TEST_POLL_MS : false),
  });

export function isWaiting({ status }: Delivery): boolean {
  return status === 'waiting';
}

/** Whether nothing is known yet of how it goes. */
export function isUntried(delivery: Delivery): boolean {
  return isWaiting(delivery) && delivery.attemptedAt === null;
}
