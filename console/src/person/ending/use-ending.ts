import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer, useRef } from 'react';
import { disable, endOf, type Job, type Proof, proofOf, startRevocation, type Step } from './steps';

/** How far the end of somebody's access is. */
export interface Ending {
  /** Undefined: not begun. */
  step: Step | 'done' | undefined;
  isBusy: boolean;
  /** Why the step could not be done. */
  error: unknown;
  /** The job that revokes, once there is one. */
  job: Job | undefined;
  proof: Proof | undefined;
}

const NOT_BEGUN: Ending = { step: undefined, isBusy: false, error: null, job: undefined, proof: undefined };

/** A job that did not get to its end. */
export class JobNotDone extends Error {
  constructor(readonly job: Job) {
    super(job.problem ?? job.status);
  }
}

/** Something came to be after the job had begun, or somebody undid a step. */
export class SomethingLeft extends Error {
  constructor(readonly proof: Proof) {
    super('Something is left');
  }
}

/** Ends somebody's access step by step; after a failure it goes on where it stopped. */
export function useEnding(userId: string): {
  ending: Ending;
  begin: (reason: string) => void;
  retry: () => void;
  forget: () => void;
} {
  const queries = useQueryClient();
  const [ending, set] = useReducer(
    (known: Ending, changes: Partial<Ending>): Ending => ({ ...known, ...changes }),
    NOT_BEGUN,
  );
  const reason = useRef('');
  const left = useRef(new AbortController());
  useEffect(() => {
    const controller = new AbortController();
    left.current = controller;
    return () => controller.abort();
  }, []);

  const steps = {
    async disable(): Promise<Step> {
      await disable(userId);
      return 'revoke';
    },
    async revoke(): Promise<Step> {
      // A job of which no end was heard may still be under way: it is asked for again before another begins.
      const known = ending.job?.endedAt === null ? ending.job : undefined;
      const started = known ?? (await startRevocation(userId, reason.current));
      set({ job: started });
      const job = await endOf(started.id, (progress) => set({ job: progress }), left.current.signal);
      if (job.status !== 'done' && !left.current.signal.aborted) throw new JobNotDone(job);
      return 'prove';
    },
    async prove(): Promise<'done'> {
      const proof = await proofOf(userId);
      set({ proof });
      if (!proof.isDisabled || proof.working > 0 || proof.notRevoked > 0) throw new SomethingLeft(proof);
      return 'done';
    },
  };

  const run = async (from: Step): Promise<void> => {
    let step: Step | 'done' = from;
    try {
      while (step !== 'done') {
        set({ step, isBusy: true, error: null });
        step = await steps[step]();
        // Who leaves the page does not wait for the proof; the job is begun all the same, and goes on.
        if (step === 'prove' && left.current.signal.aborted) return;
      }
      set({ step, isBusy: false });
    } catch (error) {
      set({ isBusy: false, error });
    }
    await Promise.all(
      ['users', 'tokens', 'audit-events', 'jobs'].map((key) =>
        queries.invalidateQueries({ queryKey: [key] }),
      ),
    );
  };

  return {
    ending,
    begin: (given) => {
      reason.current = given;
      void run('disable');
    },
    retry: () => {
      const { step, error } = ending;
      if (step === undefined || step === 'done') return;
      // What is left is ended from the beginning: each step may be done twice.
      void run(error instanceof SomethingLeft ? 'disable' : step);
    },
    forget: () => set(NOT_BEGUN),
  };
}
