import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

afterAll(async () => {
  await world.close();
});

/** What a page names with `src` and `href`. */
function referencesOf(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, reference = '']) => reference);
}

test('the page and all its assets are served without a key and self-hosted', async () => {
  const page = await api.call('GET /api/docs', { as: null });
  expect(page.status).toBe(200);
  expect(page.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
  const references = referencesOf(page.text);
  expect(references.length).toBeGreaterThan(4);
  for (const reference of references) {
    expect(reference).toMatch(/^\/api\//);
    const asset = await api.call(`GET ${reference}`, { as: null });
    expect([reference, asset.status]).toEqual([reference, 200]);
    expect(asset.text.length).toBeGreaterThan(100);
  }
});

test('the page has no inline script and requests only the document of this API', async () => {
  const page = await api.call('GET /api/docs', { as: null });
  const scripts = [...page.text.matchAll(/<script([^>]*)>([^<]*)<\/script>/g)];
  expect(scripts.length).toBe(2);
  for (const [, attributes, text] of scripts)
    expect([/ src=/.test(attributes ?? ''), text]).toEqual([true, '']);
  expect(page.text).not.toMatch(/<style| style=| on\w+=/);
  const start = await api.call('GET /api/docs/start.js', { as: null });
  expect(start.text).toContain("url: '/api/openapi.json'");
  expect(start.text).toContain('validatorUrl: null');
  expect(start.text).not.toMatch(/https?:/);
});

test('the content security policy allows no other host', async () => {
  for (const path of ['/api/docs', '/api/docs/swagger-ui-bundle.js']) {
    const policy = (await api.call(`GET ${path}`, { as: null })).headers.get('Content-Security-Policy') ?? '';
    const sources = policy.split('; ').map((directive) => directive.split(' ').slice(1));
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(new Set(sources.flat())).toEqual(new Set(["'none'", "'self'", 'data:']));
  }
  const answer = await api.call('GET overview');
  expect(answer.headers.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'");
});

test('assets are compressed when accepted, and answered 304 when unchanged', async () => {
  const url = `${api.url}/api/docs/swagger-ui-bundle.js`;
  const plain = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
  expect(plain.headers.get('Content-Encoding')).toBeNull();
  const bytes = Buffer.from(await plain.arrayBuffer());
  const refusing = await fetch(url, { headers: { 'Accept-Encoding': 'gzip;q=0' } });
  expect(refusing.headers.get('Content-Encoding')).toBeNull();
  await refusing.body?.cancel();
  const packed = await rawGet('/api/docs/swagger-ui-bundle.js', { 'Accept-Encoding': 'br, gzip' });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(packed.body.length).toBeLessThan(bytes.length / 2);
  expect(gunzipSync(packed.body).equals(bytes)).toBe(true);
  const again = await fetch(url, { headers: { 'If-None-Match': plain.headers.get('ETag') ?? '' } });
  expect(again.status).toBe(304);
});

function rawGet(path: string, headers: Record<string, string>) {
  return new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
    request(`${api.url}${path}`, { headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => resolve({ headers: incoming.headers, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });
}

test('unknown assets are 404 and other methods 405', async () => {
  expect((await api.call('GET /api/docs/package.json', { as: null })).status).toBe(404);
  expect((await api.call('GET /api/docs/..%2f..%2fpackage.json', { as: null })).status).toBe(404);
  expect((await api.call('POST /api/docs', { as: null })).status).toBe(405);
});
