import { AppShell, Burger, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { listenForSessionEnd } from '../api/client';
import { ME, type Me } from '../api/me';
import { ApiProblem } from '../api/problem';
import { queries } from '../api/queries';
import { Empty, Failed, Loading } from '../parts/states';
import { PAGES } from '../routes';
import { SignInForm } from '../sign-in/sign-in-page';
import { AccountMenu } from './account-menu';
import { Connection } from './connection';
import { ErrorBoundary } from './error-boundary';
import { Navigation } from './navigation';
import { LanguageMenu, ThemeMenu } from './preferences';

/** The frame around every page, for whoever is signed in; the form for it otherwise, at the same address. */
export function Shell() {
  const me = useQuery(ME);
  useEffect(() => listenForSessionEnd(() => void queries.invalidateQueries({ queryKey: ME.queryKey })), []);
  if (me.error instanceof ApiProblem && me.error.status === 401) {
    // Who was signed in a moment ago is told what happened.
    return <SignInForm notice={me.data ? 'ended' : undefined} />;
  }
  if (me.data) return <Frame me={me.data} />;
  if (me.error) return <Failed error={me.error} onRetry={() => void me.refetch()} />;
  return <Loading />;
}

function Frame({ me }: { me: Me }) {
  const { t } = useTranslation();
  const [isOpen, { toggle, close }] = useDisclosure();
  const [location] = useLocation();
  useEffect(close, [close, location]);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 230, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a href="#page" className="skip-link">
        {t('skip')}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t('navigation')}
              aria-expanded={isOpen}
            />
            <Text fw={700} size="lg">
              Patois
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <LanguageMenu />
            <ThemeMenu />
            <AccountMenu me={me} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t('navigation')}>
        <Navigation me={me} />
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1}>
        <Connection />
        <ErrorBoundary key={location}>
          <Suspense fallback={<Loading />}>
            <Pages me={me} />
          </Suspense>
        </ErrorBoundary>
      </AppShell.Main>
    </AppShell>
  );
}

function Pages({ me }: { me: Me }) {
  const { t } = useTranslation();
  const mine = PAGES.filter(({ isFor }) => isFor?.(me) ?? true);
  const start = mine.find(({ isStart }) => isStart) ?? mine[0];
  return (
    <Switch>
      {mine.map(({ path, component }) => (
        <Route key={path} path={path} component={component} />
      ))}
      <Route path="/">
        <Redirect to={start?.path ?? '/tokens'} replace />
      </Route>
      <Route>
        <Empty>{t('noPage')}</Empty>
      </Route>
    </Switch>
  );
}
