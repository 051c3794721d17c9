import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { answerOf, client } from '../../api/client';
import type { Token } from '../queries';

/** So many requests are under way at once. */
const AT_ONCE = 4;

export interface RowRevocationState {
  phase: 'ask' | 'running' | 'ended';
  total: number;
  done: number;
  failures: readonly { token: Token; error: unknown }[];
  isStopped: boolean;
}

const AT_FIRST: RowRevocationState = { phase: 'ask', total: 0, done: 0, failures: [], isStopped: false };

/** Ends tokens one by one: the API has no list of them. What fails is kept, and can be tried again. */
export function useRowRevocation() {
  const queries = useQueryClient();
  const [state, setState] = useState(AT_FIRST);
  const isStopped = useRef(false);
  const stop = (): void => {
    isStopped.current = true;
  };
  // Whoever leaves the page wants no more of it.
  useEffect(() => stop, []);

  const run = async (tokens: readonly Token[], reason: string): Promise<void> => {
    isStopped.current = false;
    setState({ ...AT_FIRST, phase: 'running', total: tokens.length });
    const waiting = [...tokens];
    const work = async (): Promise<void> => {
      for (let token = waiting.shift(); token && !isStopped.current; token = waiting.shift()) {
        const error = await revoke(token, reason);
        const failed = error === undefined ? [] : [{ token, error }];
        setState((before) => ({
          ...before,
          done: before.done + 1 - failed.length,
          failures: [...before.failures, ...failed],
        }));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    setState((before) => ({
      ...before,
      phase: 'ended',
      isStopped: before.done + before.failures.length < before.total,
    }));
    await queries.resetQueries({ queryKey: ['tokens'] });
  };
  return { state, run, stop, reset: () => setState(AT_FIRST) };
}

/** Resolves to what went wrong; undefined: nothing. */
async function revoke({ tokenId }: Token, reason: string): Promise<unknown> {
  const params = { path: { tokenId }, query: { reason } };
  try {
    await answerOf(client.DELETE('/patois/v1/tokens/{tokenId}', { params }));
    return undefined;
  } catch (error) {
    return error;
  }
}
