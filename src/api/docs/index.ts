import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { createRouter } from '../shared.ts';

/**
 * Swagger UI sets styles by script and embeds its icons as data URLs, which this policy allows. The browser blocks
 * requests to any other host.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Secu API</title>
    <link rel="icon" type="image/png" href="/api/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/api/docs/swagger-ui.css">
  </head>
  <body>
    <main id="page"></main>
    <noscript>This page needs JavaScript. The document itself: <a href="/api/openapi.json">/api/openapi.json</a></noscript>
    <script src="/api/docs/swagger-ui-bundle.js"></script>
    <script src="/api/docs/start.js"></script>
  </body>
</html>
`;

/** `validatorUrl: null` stops Swagger UI from sending the document to its public validator. */
const START = `SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#page',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

interface Asset {
  type: string;
  read: () => Promise<Buffer>;
}

const require = createRequire(import.meta.url);
const readText = (text: string) => async () => Buffer.from(text);

const ASSETS: Record<string, Asset> = {
  '/api/docs': { type: 'text/html; charset=utf-8', read: readText(PAGE) },
  '/api/docs/start.js': { type: 'text/javascript; charset=utf-8', read: readText(START) },
  '/api/docs/swagger-ui-bundle.js': {
    type: 'text/javascript; charset=utf-8',
    read: () => readFile(require.resolve('swagger-ui-dist/swagger-ui-bundle.js')),
  },
  '/api/docs/swagger-ui.css': {
    type: 'text/css; charset=utf-8',
    read: () => readFile(require.resolve('swagger-ui-dist/swagger-ui.css')),
  },
  '/api/docs/favicon-32x32.png': {
    type: 'image/png',
    read: () => readFile(require.resolve('swagger-ui-dist/favicon-32x32.png')),
  },
};

interface Served {
  type: string;
  etag: string;
  body: Uint8Array<ArrayBuffer>;
  gzipBody: Uint8Array<ArrayBuffer>;
}

/** API documentation for people, self-hosted: it makes no request to another host. */
export function createDocsRouter() {
  const router = createRouter();
  for (const [path, asset] of Object.entries(ASSETS)) {
    // read and compressed once, at the first request
    let served: Promise<Served> | null = null;
    router.get(path, async (c) => {
      served ??= compress(asset);
      return answer(c, await served);
    });
  }
  return router;
}

async function compress({ type, read }: Asset): Promise<Served> {
  const body = await read();
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { type, etag, body: bytesOf(body), gzipBody: bytesOf(await promisify(gzip)(body)) };
}

function bytesOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}

function answer(c: Context<ApiEnv>, { type, etag, body, gzipBody }: Served): Response {
  const headers = {
    'Content-Type': type,
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'Cache-Control': 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
  };
  if (c.req.header('If-None-Match') === etag) return c.body(null, 304, headers);
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(c.req.header('Accept-Encoding') ?? '');
  return takesGzip
    ? c.body(gzipBody, 200, { ...headers, 'Content-Encoding': 'gzip' })
    : c.body(body, 200, headers);
}
