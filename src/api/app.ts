import { bodyLimit } from 'hono/body-limit';
import { SecuError } from '../domain/errors.ts';
import { createApiKeysRouter } from './api-keys/index.ts';
import { createAuthRouter } from './auth/index.ts';
import { createPublicAuthRouter } from './auth/public.ts';
import { createCalendarRouter } from './calendar/index.ts';
import { createChannelsRouter } from './channels/index.ts';
import type { ApiDeps } from './deps.ts';
import { createDocsRouter } from './docs/index.ts';
import { problemResponse } from './errors.ts';
import { createEventsRouter } from './events/index.ts';
import { createFindingsRouter } from './findings/index.ts';
import { createHooksRouter } from './hooks/index.ts';
import { createIntegrationsRouter } from './integrations/index.ts';
import { createMetricsRouter } from './metrics/index.ts';
import { authenticate } from './middleware/authenticate.ts';
import { addressScope } from './middleware/client-address.ts';
import { hostCheck, jsonOnly, requestScope, securityHeaders } from './middleware/request.ts';
import { createOverviewRouter } from './overview/index.ts';
import { asksForPage, createDashboardRouter, dashboardPage } from './pages/index.ts';
import { createRepositoriesRouter } from './repositories/index.ts';
import { createScansRouter } from './scans/index.ts';
import { createRouter } from './shared.ts';
import { createAboutRouter } from './system/index.ts';
import { createUsersRouter } from './users/index.ts';

export const MAX_BODY_BYTES = 1_048_576;
const BASE = '/api/v1';
const READY_CACHE_MS = 1_000;

type Router = ReturnType<typeof createRouter>;

/** Builds the HTTP API from its dependencies. */
export function createApp(deps: ApiDeps) {
  const { log } = deps;
  const app = createRouter();
  app.use(requestScope({ log, metrics: deps.metrics }));
  app.use(securityHeaders({ https: deps.settings.publicUrl.startsWith('https:') }));
  app.use(hostCheck({ hosts: deps.settings.hosts, log }));
  app.use(addressScope(deps.settings));
  // before the limit of bodies: a webhook may be large, and is read in pieces
  app.route(BASE, createHooksRouter(deps));
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) => {
        // the rest of the body is not read, so nothing can follow it on this connection
        c.header('Connection', 'close');
        const err = new SecuError('payload_too_large', 'the body is larger than 1 MiB');
        return problemResponse({ c, err, log });
      },
    }),
  );
  app.use(jsonOnly({ log }));

  routeHealth(app, deps);
  routeOpenApi(app, deps);
  app.route('/', createDocsRouter());
  app.route('/', createMetricsRouter(deps));
  app.route('/', createDashboardRouter(deps.settings));
  // before the routes that want an Authorization header: calendars cannot send one
  app.route('/', createCalendarRouter(deps, { hide: true })).route(BASE, createCalendarRouter(deps));

  const open = app.route(BASE, createPublicAuthRouter(deps));
  app.use(`${BASE}/*`, authenticate(deps));
  const routed = open
    .route(BASE, createAuthRouter(deps))
    .route(BASE, createUsersRouter(deps))
    .route(BASE, createIntegrationsRouter(deps))
    .route(BASE, createRepositoriesRouter(deps))
    .route(BASE, createScansRouter(deps))
    .route(BASE, createFindingsRouter(deps))
    .route(BASE, createEventsRouter(deps))
    .route(BASE, createOverviewRouter(deps))
    .route(BASE, createApiKeysRouter(deps))
    .route(BASE, createChannelsRouter(deps))
    .route(BASE, createAboutRouter(deps));

  registerSecuritySchemes(app);
  app.onError((err, c) => problemResponse({ c, err, log }));
  answerUnknownPaths(app, deps);
  return routed;
}

export type App = ReturnType<typeof createApp>;

/** `/healthz` while the process lives; `/readyz` with the state of what it needs. */
function routeHealth(app: Router, deps: ApiDeps): void {
  const ready = cachedFor(READY_CACHE_MS, deps.ready);
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const checks = await ready();
    const able = checks.database && checks.migrations;
    const status = !able ? 'unready' : checks.temporal && checks.workers ? 'ready' : 'degraded';
    return c.json({ status, checks: named(checks) }, able ? 200 : 503);
  });
}

function routeOpenApi(app: Router, deps: ApiDeps): void {
  let openApiJson: string | null = null;
  app.get('/api/openapi.json', (c) => {
    // built once: it takes 30 ms, and the path is public
    openApiJson ??= JSON.stringify(openApiDocument(app, deps.settings.version));
    return c.body(openApiJson, 200, { 'Content-Type': 'application/json' });
  });
}

function registerSecuritySchemes(app: Router): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', { type: 'http', scheme: 'bearer' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-secu',
    description: 'Set by /auth/sign-in; named "secu" over plain http.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'hookToken', {
    type: 'apiKey',
    in: 'header',
    name: 'X-Gitlab-Token',
    description: 'The hook token of the integration; a signature with it in `webhook-signature` does too.',
  });
}

/** A page of the dashboard for a browser, else 404, or 405 with the methods that the path allows. */
function answerUnknownPaths(app: Router, { settings, log }: ApiDeps): void {
  app.notFound(async (c) => {
    const page = asksForPage(c) ? await dashboardPage(c, settings) : null;
    if (page !== null) return page;
    const allowed = methodsOf(app, c.req.path);
    if (allowed.length === 0)
      return problemResponse({ c, err: new SecuError('not_found', 'no resource has this path'), log });
    c.header('Allow', allowed.join(', '));
    return problemResponse({
      c,
      err: new SecuError('method_not_allowed', `this path allows ${allowed.join(', ')}`),
      log,
    });
  });
}

/** The OpenAPI document of the running API, for `/api/openapi.json` and the committed file. */
export function openApiDocument(app: Pick<App, 'getOpenAPI31Document'>, version: string) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Secu',
      version,
      description: 'Connects GitLab tokens, scans repositories and tracks token expiry.',
    },
  });
}

function named(checks: Awaited<ReturnType<ApiDeps['ready']>>) {
  return Object.fromEntries(Object.entries(checks).map(([name, good]) => [name, good ? 'ok' : 'failed']));
}

/** Shares one call between all requests of this time: `/readyz` is public and asks the database. */
function cachedFor<T>(ms: number, read: () => Promise<T>): () => Promise<T> {
  let last: { atMs: number; value: Promise<T> } | null = null;
  return () => {
    const nowMs = performance.now();
    if (last === null || nowMs - last.atMs >= ms) last = { atMs: nowMs, value: read() };
    return last.value;
  };
}

/** Methods that are routed for this path. */
function methodsOf(app: { routes: { method: string; path: string }[] }, path: string): string[] {
  const matching = app.routes.filter((route) => route.method !== 'ALL' && patternOf(route.path).test(path));
  return [...new Set(matching.map((route) => route.method))].sort();
}

function patternOf(path: string): RegExp {
  const source = path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}$`);
}
