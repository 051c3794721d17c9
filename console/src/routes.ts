import { type ComponentType, lazy, type LazyExoticComponent } from 'react';
import { administers, administersAll, type Me } from './api/me';

/** A page of the console. */
export interface Page {
  /** Below /console, as wouter matches it. */
  path: string;
  component: LazyExoticComponent<ComponentType>;
  /** Its message in `shell:pages`, where it has a place in the navigation. */
  title?: string;
  /** Who sees it; default: everybody. The server decides what they may do. */
  isFor?: (me: Me) => boolean;
}

/** Of a module that a page has to itself. */
function page(load: () => Promise<Record<string, ComponentType>>, name: string) {
  return lazy(async () => {
    const component = (await load())[name];
    if (!component) throw new Error(`There is no page ${name}`);
    return { default: component };
  });
}

/** In the order of the navigation; the first is where a visit begins. */
export const PAGES: Page[] = [
  {
    path: '/tokens',
    title: 'myTokens',
    component: page(() => import('./my-tokens/my-tokens-page'), 'MyTokensPage'),
  },
  { path: '/tokens/new', component: page(() => import('./my-tokens/make-token-page'), 'MakeTokenPage') },
  { path: '/token/:tokenId', component: page(() => import('./token/token-page'), 'TokenPage') },
  {
    path: '/people/:login',
    component: page(() => import('./person/person-page'), 'PersonPage'),
    isFor: administers,
  },
  {
    path: '/account',
    title: 'account',
    component: page(() => import('./account/account-page'), 'AccountPage'),
  },
];
void administersAll;
