import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { Problem } from './api/problem.ts';
import { queryClient } from './api/query-client.ts';
import { meQuery } from './api/session.ts';
import { parseSearch, pickSearchParams, safeRedirectPath, stringifySearch } from './lists/search-params.ts';
import { RouteFailed } from './parts/route-failed.tsx';
import { NotFound, Shell } from './shell/shell.tsx';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('./pages/sign-in/setup.tsx')),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search) => pickSearchParams(search, ['next', 'failed']),
  component: lazyRouteComponent(() => import('./pages/sign-in/sign-in.tsx')),
});

/** The pages for signed-in users. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(meQuery);
    } catch (err) {
      if (!(err instanceof Problem) || err.status !== 401) throw err;
      redirect({ to: '/sign-in', search: { next: safeRedirectPath(location.href) }, throw: true });
    }
  },
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/overview.tsx')),
});

const integrations = createRoute({
  getParentRoute: () => shell,
  path: '/integrations',
  validateSearch: (search) => pickSearchParams(search, ['status', 'q']),
  component: lazyRouteComponent(() => import('./pages/integrations/integrations.tsx')),
});

const newIntegration = createRoute({
  getParentRoute: () => shell,
  path: '/integrations/new',
  component: lazyRouteComponent(() => import('./pages/integrations/new-integration.tsx')),
});

const integration = createRoute({
  getParentRoute: () => shell,
  path: '/integrations/$id',
  validateSearch: (search) => pickSearchParams(search, ['tab', 'state', 'q', 'sort', 'act']),
  component: lazyRouteComponent(() => import('./pages/integrations/integration.tsx')),
});

const repositories = createRoute({
  getParentRoute: () => shell,
  path: '/repositories',
  validateSearch: (search) => pickSearchParams(search, ['integration', 'state', 'q', 'sort']),
  component: lazyRouteComponent(() => import('./pages/repositories/repositories.tsx')),
});

const repository = createRoute({
  getParentRoute: () => shell,
  path: '/repositories/$id',
  validateSearch: (search) => pickSearchParams(search, ['tab']),
  component: lazyRouteComponent(() => import('./pages/repositories/repository.tsx')),
});

const scan = createRoute({
  getParentRoute: () => shell,
  path: '/scans/$id',
  component: lazyRouteComponent(() => import('./pages/scans/scan.tsx')),
});

const findings = createRoute({
  getParentRoute: () => shell,
  path: '/findings',
  validateSearch: (search) =>
    pickSearchParams(search, ['status', 'severity', 'kind', 'integration', 'repository', 'q', 'finding']),
  component: lazyRouteComponent(() => import('./pages/findings/findings.tsx')),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings/settings.tsx')),
});

const settingsStart = createRoute({
  getParentRoute: () => settings,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/settings/start.tsx')),
});

const settingsPages = [
  createRoute({
    getParentRoute: () => settings,
    path: '/channels',
    validateSearch: (search) => pickSearchParams(search, ['channel']),
    component: lazyRouteComponent(() => import('./pages/settings/channels.tsx')),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/api-keys',
    component: lazyRouteComponent(() => import('./pages/settings/api-keys.tsx')),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/users',
    component: lazyRouteComponent(() => import('./pages/settings/users.tsx')),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/audit',
    validateSearch: (search) => pickSearchParams(search, ['area']),
    component: lazyRouteComponent(() => import('./pages/settings/audit.tsx')),
  }),
  createRoute({
    getParentRoute: () => settings,
    path: '/about',
    component: lazyRouteComponent(() => import('./pages/settings/about.tsx')),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([
    setup,
    signIn,
    shell.addChildren([
      overview,
      integrations,
      newIntegration,
      integration,
      repositories,
      repository,
      scan,
      findings,
      settings.addChildren([settingsStart, ...settingsPages]),
    ]),
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: RouteFailed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
