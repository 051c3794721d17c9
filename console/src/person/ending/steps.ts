import { answerOf, client, type Schemas } from '../../api/client';
import { holdingsOf } from '../queries';

export type Job = Schemas['Job'];

/** In this order nothing works from the end of the first step on, whatever becomes of the others. */
export const STEPS = ['disable', 'revoke', 'prove'] as const;
export type Step = (typeof STEPS)[number];

/** What would end: all tokens that are not revoked, and those among them that work now, by system. */
export interface EndingPreview {
  toRevoke: number;
  working: Record<string, number>;
}

/** What is left once all is done: nothing, else it is not done. */
export interface Proof {
  isDisabled: boolean;
  working: number;
  notRevoked: number;
}

const POLL_MS = 400;

/** Exact at this moment. */
export async function previewOf(userId: string): Promise<EndingPreview> {
  const [holdings, { count }] = await Promise.all([
    holdingsOf(userId, { status: 'active' }),
    countOf(userId),
  ]);
  return { toRevoke: count, working: holdings?.tokens.byDialect ?? {} };
}

/** Ends the password, the sessions and the use of every token at once. */
export async function disable(userId: string): Promise<void> {
  await answerOf(
    client.PATCH('/patois/v1/users/{user}', { params: { path: { user: userId } }, body: { disabled: true } }),
  );
}

/** Begins the job that revokes what is left. */
export async function startRevocation(userId: string, reason: string): Promise<Job> {
  const answer = await answerOf(
    client.POST('/patois/v1/revocations', { body: { filter: { owner: userId }, reason } }),
  );
  if (!('status' in answer)) throw new Error('A revocation was answered with a preview');
  return answer;
}

/** Waits for the end of a job, and tells how far it is on the way. */
export async function endOf(id: string, onProgress: (job: Job) => void, signal: AbortSignal): Promise<Job> {
  for (;;) {
    const job = await answerOf(client.GET('/patois/v1/jobs/{id}', { params: { path: { id } } }));
    onProgress(job);
    if (job.endedAt !== null || signal.aborted) return job;
    await new Promise((resume) => setTimeout(resume, POLL_MS));
  }
}

/** Asks the server what of somebody still works. */
export async function proofOf(userId: string): Promise<Proof> {
  const [user, holdings, { count }] = await Promise.all([
    answerOf(client.GET('/patois/v1/users/{user}', { params: { path: { user: userId } } })),
    holdingsOf(userId, { status: 'active' }),
    countOf(userId),
  ]);
  return { isDisabled: user.disabled, working: holdings?.tokens.total ?? 0, notRevoked: count };
}

async function countOf(userId: string): Promise<{ count: number }> {
  const answer = await answerOf(
    client.POST('/patois/v1/revocations', { body: { filter: { owner: userId }, dryRun: true } }),
  );
  if (!('count' in answer)) throw new Error('A preview was answered with a job');
  return answer;
}
