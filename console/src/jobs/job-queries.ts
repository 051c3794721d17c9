import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';
import type { Filter } from '../parts/address-filter';

export type Job = Schemas['Job'];
export type JobStatus = Job['status'];

/** All that are, in the order in which somebody looks for them. */
export const JOB_STATUSES: readonly JobStatus[] = ['running', 'waiting', 'done', 'failed', 'cancelled'];

/** The kinds that there are words for; others show by their names. */
export const JOB_KINDS = [
  'revocation',
  'policy-conformance',
  'owner-deletion',
  'unused-tokens',
  'audit-verification',
] as const;

/** How often is asked how far a job is, while the page can be seen. */
const POLL_MS = 1_500;

export function isUnderWay({ status }: Pick<Job, 'status'>): boolean {
  return status === 'waiting' || status === 'running';
}

/** A job, asked for again and again until it has ended. */
export const JOB = (id: string) =>
  queryOptions({
    queryKey: ['jobs', 'one', id],
    queryFn: () => answerOf(client.GET('/patois/v1/jobs/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state: { data } }) => (data && isUnderWay(data) ? POLL_MS : false),
  });

/** Jobs, newest first. */
export const JOBS = ({ kind, status }: Filter<'kind' | 'status'>) =>
  infiniteQueryOptions({
    queryKey: ['jobs', 'list', { kind, status }],
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        client.GET('/patois/v1/jobs', {
          params: {
            query: {
              ...(cursor !== undefined && { cursor }),
              ...(kind !== undefined && { kind }),
              ...(isStatus(status) && { status }),
            },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

function isStatus(status: string | undefined): status is JobStatus {
  return JOB_STATUSES.some((one) => one === status);
}
