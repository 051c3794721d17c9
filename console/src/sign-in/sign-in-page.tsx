import {
  Alert,
  Anchor,
  Button,
  Center,
  Divider,
  Group,
  Paper,
  PasswordInput,
  Stack,
  TextInput,
  Title,
} from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Redirect, useLocation, useSearchParams } from 'wouter';
import { answerOf, client } from '../api/client';
import { ME } from '../api/me';
import { ApiProblem } from '../api/problem';
import { beginSession, type SignInNotice } from '../api/session';
import { useProblemText } from '../parts/states';
import { LanguageMenu, ThemeMenu } from '../shell/preferences';

/** Of `?notice=`. */
const NOTICES: SignInNotice[] = ['passwordChanged', 'ended'];
/** What the server says in `?error=` when a provider sent somebody back in vain. */
const PROVIDER_ERRORS = ['denied', 'expired', 'unknownUser', 'disabled', 'conflict', 'unavailable', 'failed'];

/** `/console/sign-in`: the form, or the console for who is signed in. */
export function SignInPage() {
  const me = useQuery(ME);
  return me.data ? <Redirect to="/" replace /> : <SignInForm />;
}

/**
 * Login and password, and each provider that the server has.
 *
 * @param props.notice why one is asked to sign in; default: what the address says.
 */
export function SignInForm({ notice: given }: { notice?: SignInNotice | undefined }) {
  const { t } = useTranslation('sign-in');
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [search] = useSearchParams();
  const signIn = useMutation({ mutationFn: () => beginSession(login, password) });
  useEffect(() => {
    document.title = `${t('title')} · Patois`;
  }, [t]);
  const refused = search.get('error');
  const notice = given ?? NOTICES.find((one) => one === search.get('notice'));
  const code = refused !== null && PROVIDER_ERRORS.includes(refused) ? refused : 'failed';
  return (
    <Center mih="100vh" p="md" component="main">
      <Stack w="100%" maw={380}>
        <Group justify="space-between">
          <Title order={1} size="h2">
            {t('title')}
          </Title>
          <Group gap="xs">
            <LanguageMenu />
            <ThemeMenu />
          </Group>
        </Group>
        <Paper withBorder p="lg">
          <form
            onSubmit={(event) => {
              event.preventDefault();
              signIn.mutate();
            }}
          >
            <Stack>
              {notice !== undefined && (
                <Alert color="blue" role="status">
                  {t(`notices.${notice}`)}
                </Alert>
              )}
              {refused !== null && (
                <Alert color="red" role="alert">
                  {t(`errors.${code}`)}
                </Alert>
              )}
              <TextInput
                label={t('login')}
                name="username"
                autoComplete="username"
                autoCapitalize="none"
                spellCheck={false}
                value={login}
                onChange={(event) => setLogin(event.currentTarget.value)}
                required
                autoFocus
              />
              <PasswordInput
                label={t('password')}
                name="password"
                autoComplete="current-password"
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                visibilityToggleButtonProps={{
                  'aria-label': t('showPassword'),
                  'aria-hidden': false,
                  tabIndex: 0,
                }}
                required
              />
              {signIn.error && <SignInProblem error={signIn.error} />}
              <Button type="submit" loading={signIn.isPending}>
                {t('submit')}
              </Button>
              <Providers />
            </Stack>
          </form>
        </Paper>
        <Anchor href="/docs" size="sm">
          {t('documents')}
        </Anchor>
      </Stack>
    </Center>
  );
}

function SignInProblem({ error }: { error: unknown }) {
  const { t } = useTranslation('sign-in');
  const text = useProblemText(error);
  const isWrong = error instanceof ApiProblem && error.status === 401;
  return (
    <Alert color="red" role="alert">
      {isWrong ? t('wrong') : text}
    </Alert>
  );
}

/** A link each: the sign-in there is a visit to the provider's own pages, and back to where this one was. */
function Providers() {
  const { t } = useTranslation('sign-in');
  const [location] = useLocation();
  const query = useQuery({
    queryKey: ['sign-in-providers'],
    queryFn: () => answerOf(client.GET('/patois/v1/sign-in-providers')),
  });
  const providers = query.data?.items ?? [];
  if (providers.length === 0) return null;
  const here = location === '/sign-in' ? '/console' : window.location.pathname + window.location.search;
  return (
    <>
      <Divider label={t('or')} />
      {providers.map(({ name, title }) => (
        <Button
          key={name}
          component="a"
          variant="default"
          href={`/console/sign-in/${name}?returnTo=${encodeURIComponent(here)}`}
        >
          {t('with', { provider: title })}
        </Button>
      ))}
    </>
  );
}
