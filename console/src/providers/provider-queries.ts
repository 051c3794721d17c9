import { queryOptions } from '@tanstack/react-query';
import { answerOf, client, type Schemas } from '../api/client';

export type Provider = Schemas['SignInProviderSettings'];

export const PROVIDERS = queryOptions({
  queryKey: ['sign-in-providers', 'list'],
  queryFn: () => answerOf(client.GET('/patois/v1/sign-in-providers')),
});

/** The settings of one, without its secret. */
export const PROVIDER = (name: string) =>
  queryOptions({
    queryKey: ['sign-in-providers', 'one', name],
    queryFn: () =>
      answerOf(client.GET('/patois/v1/sign-in-providers/{name}', { params: { path: { name } } })),
  });
