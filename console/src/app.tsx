import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense } from 'react';
import { Route, Router, Switch } from 'wouter';
import { queries } from './api/queries';
import { Loading } from './parts/states';
import { Shell } from './shell/shell';
import { SignInPage } from './sign-in/sign-in-page';
import { STYLE_NONCE } from './style-nonce';
import { resolveVariables, THEME } from './theme';

/** Everything: whoever is not signed in sees that page, whatever the address; the address stays, for afterwards. */
export function App() {
  return (
    <MantineProvider
      theme={THEME}
      cssVariablesResolver={resolveVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => STYLE_NONCE}
    >
      <Notifications position="top-right" />
      <QueryClientProvider client={queries}>
        <Router base="/console">
          <Suspense fallback={<Loading />}>
            <Switch>
              <Route path="/sign-in" component={SignInPage} />
              <Route component={Shell} />
            </Switch>
          </Suspense>
        </Router>
      </QueryClientProvider>
    </MantineProvider>
  );
}
