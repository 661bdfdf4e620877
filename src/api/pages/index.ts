import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Context, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { createRouter } from '../shared.ts';

/** No inline script or style and nothing from another host, so that injected text cannot do anything. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** File names contain a content hash, so browsers may cache them forever. */
const FOREVER = 'public, max-age=31536000, immutable';

/** The dashboard files that `vite build` wrote, each with a compressed copy. */
export function createDashboardRouter({ dashboardFolder }: { dashboardFolder: string }) {
  const router = createRouter();
  if (!existsSync(dashboardFolder)) return router;
  const files = serveStatic<ApiEnv>({ root: dashboardFolder, precompressed: true });
  router.use('/assets/*', kept(FOREVER), files);
  for (const path of ['/scheme.js', '/favicon.svg']) router.use(path, kept('no-cache'), files);
  return router;
}

/** The `Cache-Control` header of a file. */
function kept(cacheControl: string): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    await next();
    if (c.res.ok) c.header('Cache-Control', cacheControl);
  };
}

/** True when a browser requests a page: every path outside the API is a client-side route of the dashboard. */
export function asksForPage(c: Context<ApiEnv>): boolean {
  const { method, path } = c.req;
  const accepts = c.req.header('Accept') ?? '';
  const isPath = !path.startsWith('/api/') && !/\.\w+$/.test(path);
  return isPath && ['GET', 'HEAD'].includes(method) && accepts.includes('text/html');
}

/** The dashboard's index page; `null` when it was not built. */
export async function dashboardPage(
  c: Context<ApiEnv>,
  { dashboardFolder }: { dashboardFolder: string },
): Promise<Response | null> {
  const file = join(dashboardFolder, 'index.html');
  if (!existsSync(file)) return null;
  c.header('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  c.header('Cache-Control', 'no-cache');
  return c.html(await readFile(file, 'utf8'), 200);
}
