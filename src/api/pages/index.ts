import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Context, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { createRouter } from '../shared.ts';

/** No script and no style inside a page, nothing from another host: what a stranger's text could do is nothing. */
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

/** Named by their content: a browser need never ask for them again. */
const FOREVER = 'public, max-age=31536000, immutable';

/** The files of the dashboard, as `vite build` left them, each with a packed twin. */
export function createDashboardRouter({ dashboardFolder }: { dashboardFolder: string }) {
  const router = createRouter();
  if (!existsSync(dashboardFolder)) return router;
  const files = serveStatic<ApiEnv>({ root: dashboardFolder, precompressed: true });
  router.use('/assets/*', kept(FOREVER), files);
  for (const path of ['/scheme.js', '/favicon.svg']) router.use(path, kept('no-cache'), files);
  return router;
}

/** How long a browser may keep what it gets. */
function kept(cacheControl: string): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    await next();
    if (c.res.ok) c.header('Cache-Control', cacheControl);
  };
}

/** Does a browser ask for a page here? Every address outside the API is one of the dashboard; it knows its own. */
export function asksForPage(c: Context<ApiEnv>): boolean {
  const { method, path } = c.req;
  const accepts = c.req.header('Accept') ?? '';
  const isPath = !path.startsWith('/api/') && !/\.\w+$/.test(path);
  return isPath && ['GET', 'HEAD'].includes(method) && accepts.includes('text/html');
}

/** The one page of the dashboard; `null` where it was not built. */
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
