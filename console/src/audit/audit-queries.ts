import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';
import { isUnderWay } from '../jobs/job-queries';
import type { Filter } from '../parts/address-filter';

export type AuditEvent = Schemas['AuditEvent'];
export type AuditSeal = Schemas['AuditSeal'];

/** All that the API narrows the trail by. */
export const AUDIT_FILTERS = [
  'action',
  'actor',
  'object',
  'owner',
  'organization',
  'address',
  'requestId',
  'since',
  'until',
] as const;
export type AuditFilterName = (typeof AUDIT_FILTERS)[number];
export type AuditFilter = Filter<AuditFilterName>;

const SEALS_POLL_MS = 15_000;
const VERIFICATION_POLL_MS = 1_000;

/** The trail, newest first. */
export const EVENTS = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit-events', 'trail', filter],
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        client.GET('/patois/v1/audit-events', {
          params: { query: { ...filter, ...(cursor !== undefined && { cursor }) } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

/** The newest seal, and the newest event, which it may not be over yet. */
export const SEALS = queryOptions({
  queryKey: ['audit-seals', 'newest'],
  queryFn: async () => {
    const query = { limit: 1 };
    const [seals, events] = await Promise.all([
      answerOf(client.GET('/patois/v1/audit-seals', { params: { query } })),
      answerOf(client.GET('/patois/v1/audit-events', { params: { query } })),
    ]);
    return { seal: seals.items[0] ?? null, event: events.items[0] ?? null, readAt: Date.now() };
  },
  refetchInterval: SEALS_POLL_MS,
});

export const SEAL_KEYS = queryOptions({
  queryKey: ['audit-seals', 'keys'],
  queryFn: () => answerOf(client.GET('/patois/v1/audit-seals/keys')),
});

/** The last verification of the trail, followed while it is under way; null: there was none in the last 30 days. */
export const LAST_VERIFICATION = queryOptions({
  queryKey: ['jobs', 'last', 'audit-verification'],
  queryFn: async () => {
    const query = { kind: 'audit-verification', limit: 1 };
    const { items } = await answerOf(client.GET('/patois/v1/jobs', { params: { query } }));
    return items[0] ?? null;
  },
  refetchInterval: ({ state: { data } }) => (data && isUnderWay(data) ? VERIFICATION_POLL_MS : false),
});
