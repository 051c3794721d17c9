import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { ApiProblem } from '../api/problem';
import type { TokenWithSecret } from './queries';

/** A call that is repeated as it was until it is known to have failed, so that a lost answer makes no second token. */
interface Attempt<Input> {
  /** What a person chose. The input is made of it once: it may hold the moment of the first try. */
  about: string;
  input: Input;
  key: string;
}

/**
 * Makes a call whose answer has a secret. The secret is kept by who calls this and by nothing else: no cache sees it, and it
 * is gone with the component.
 */
export function useSecretCall<Input>(
  call: (input: Input, idempotencyKey: string) => Promise<TokenWithSecret>,
  onDone: (token: TokenWithSecret) => void,
) {
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const attempt = useRef<Attempt<Input>>(undefined);
  const queries = useQueryClient();

  const submit = async (about: string, makeInput: () => Input): Promise<void> => {
    if (isBusy) return;
    if (attempt.current?.about !== about) attempt.current = { about, input: makeInput(), key: randomKey() };
    const { input, key } = attempt.current;
    setBusy(true);
    setError(null);
    try {
      const token = await call(input, key);
      attempt.current = undefined;
      void queries.invalidateQueries({ queryKey: ['tokens'] });
      onDone(token);
    } catch (problem) {
      if (isCertain(problem)) attempt.current = undefined;
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return { submit, error, isBusy };
}

/** Whether a call is known to have changed nothing. */
function isCertain(problem: unknown): boolean {
  return problem instanceof ApiProblem && !problem.isTransient && !isRepetition(problem);
}

/** Whether the server has known a call before, and cannot answer it again (docs/lifecycle.md). */
export function isRepetition(problem: unknown): boolean {
  return (
    problem instanceof ApiProblem && problem.status === 409 && problem.message.includes('Idempotency-Key')
  );
}

/** `randomUUID` is there over TLS alone. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
