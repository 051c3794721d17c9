import { queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';

export type Policy = Schemas['Policy'];
export type PolicyPreview = Schemas['PolicyPreview'];
export type Rule = keyof Policy;
export type Job = Schemas['Job'];
/** What becomes of tokens that break a new policy. */
export type Existing = 'keep' | 'conform';

/** In the order in which people think of them. */
export const RULES: Rule[] = [
  'maxLifetimeSeconds',
  'defaultLifetimeSeconds',
  'allowNonExpiring',
  'maxUnusedSeconds',
  'maxTokensPerUser',
  'allowedCidrs',
  'requireCidrs',
  'defaultGraceSeconds',
  'onReuse',
  'onLeak',
];

/** A policy, and the tag that says which one it is. */
export interface TaggedPolicy {
  policy: Policy;
  entityTag: string;
}

const POLL_MS = 1000;

/** @param organization uuid or name. */
export function policyOf(organization: string) {
  return queryOptions({
    queryKey: ['policy', organization],
    queryFn: async (): Promise<TaggedPolicy> => {
      const params = { path: { organization } };
      const call = client.GET('/patois/v1/organizations/{organization}/policy', { params });
      const policy = await answerOf(call);
      return { policy, entityTag: tagOf((await call).response) };
    },
  });
}

/** What a policy would mean for the tokens that are there. */
export function previewOf(organization: string, policy: Policy) {
  return queryOptions({
    queryKey: ['policyPreview', organization, policy],
    queryFn: ({ signal }) => {
      const params = { path: { organization } };
      const path = '/patois/v1/organizations/{organization}/policy/preview';
      return answerOf(client.POST(path, { params, body: policy, signal }));
    },
  });
}

/**
 * Replaces the policy if it is still the one that the tag names.
 *
 * @returns the policy as it is now, and the job that makes tokens conform where one was asked for.
 * @throws {ApiProblem} 412 where somebody else changed it.
 */
export async function replacePolicy(
  organization: string,
  policy: Policy,
  { entityTag, existing }: { entityTag: string; existing: Existing },
): Promise<{ saved: TaggedPolicy; job: Job | undefined }> {
  const call = client.PUT('/patois/v1/organizations/{organization}/policy', {
    params: { path: { organization }, query: { existing }, header: { 'If-Match': entityTag } },
    body: policy,
  });
  const answer: Policy | Job = await answerOf(call);
  const saved = tagOf((await call).response);
  if ('kind' in answer) return { saved: { policy, entityTag: saved }, job: answer };
  return { saved: { policy: answer, entityTag: saved }, job: undefined };
}

/** A job, asked about until it has ended. */
export function jobOf(id: string) {
  return queryOptions({
    queryKey: ['jobs', id],
    queryFn: () => answerOf(client.GET('/patois/v1/jobs/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data?.endedAt ? false : POLL_MS),
  });
}

function tagOf(response: Response): string {
  return response.headers.get('etag') ?? '*';
}
