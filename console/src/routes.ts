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
  /** Whether a visit of those who see it begins here. */
  isStart?: true;
}

/** Of a module that a page has to itself. */
function page(load: () => Promise<Record<string, ComponentType>>, name: string) {
  return lazy(async () => {
    const component = (await load())[name];
    if (!component) throw new Error(`There is no page ${name}`);
    return { default: component };
  });
}

/** In the order of the navigation; where none of them is the start, the first is where a visit begins. */
export const PAGES: Page[] = [
  {
    path: '/tokens',
    title: 'myTokens',
    component: page(() => import('./my-tokens/my-tokens-page'), 'MyTokensPage'),
  },
  {
    path: '/tokens/new',
    component: page(() => import('./my-tokens/make-token-page'), 'MakeTokenPage'),
  },
  {
    path: '/token/:tokenId',
    component: page(() => import('./token/token-page'), 'TokenPage'),
  },
  {
    path: '/overview',
    title: 'overview',
    isFor: administers,
    isStart: true,
    component: page(() => import('./overview/overview-page'), 'OverviewPage'),
  },
  {
    path: '/inventory',
    title: 'inventory',
    isFor: administers,
    component: page(() => import('./inventory/inventory-page'), 'InventoryPage'),
  },
  {
    path: '/people',
    title: 'users',
    component: page(() => import('./people/people-page'), 'PeoplePage'),
    isFor: administers,
  },
  {
    path: '/people/:login',
    isFor: administers,
    component: page(() => import('./person/person-page'), 'PersonPage'),
  },
  {
    path: '/organizations',
    title: 'organizations',
    component: page(() => import('./organizations/organizations-page'), 'OrganizationsPage'),
    isFor: administersAll,
  },
  {
    path: '/policy',
    title: 'policy',
    component: page(() => import('./policy/policy-page'), 'PolicyPage'),
    isFor: administers,
  },
  {
    path: '/policy/:organization',
    component: page(() => import('./policy/policy-page'), 'PolicyPage'),
    isFor: administers,
  },
  {
    path: '/audit',
    title: 'audit',
    isFor: administersAll,
    component: page(() => import('./audit/audit-page'), 'AuditPage'),
  },
  {
    path: '/channels',
    title: 'channels',
    isFor: administers,
    component: page(() => import('./channels/channels-page'), 'ChannelsPage'),
  },
  {
    path: '/channels/:id',
    isFor: administers,
    component: page(() => import('./channels/channel-page'), 'ChannelPage'),
  },
  {
    path: '/jobs',
    title: 'jobs',
    isFor: administers,
    component: page(() => import('./jobs/jobs-page'), 'JobsPage'),
  },
  // Whoever has begun a job may follow it, members too.
  {
    path: '/jobs/:id',
    component: page(() => import('./jobs/job-page'), 'JobPage'),
  },
  {
    path: '/providers',
    title: 'providers',
    isFor: administersAll,
    component: page(() => import('./providers/providers-page'), 'ProvidersPage'),
  },
  {
    path: '/account',
    title: 'account',
    component: page(() => import('./account/account-page'), 'AccountPage'),
  },
];
