import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './problem';

const MAX_RETRIES = 2;
const FRESH_MS = 10_000;

/** What was read is shown at once, and read again after ten seconds when a page comes back to it. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      retry: (failures, error) => failures < MAX_RETRIES && error instanceof ApiProblem && error.isTransient,
    },
    // A change is repeated by a person, who is told that it failed.
    mutations: { retry: false, networkMode: 'always' },
  },
});
