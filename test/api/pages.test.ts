import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const PAGE = '<!doctype html><title>Secu</title><script src="/scheme.js"></script>';
const SCRIPT = 'export const built = true;';
const BROWSER = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let world: TestWorld;
let api: TestApi;
let bare: TestApi;
let dashboardFolder: string;

beforeAll(async () => {
  dashboardFolder = await mkdtemp(join(tmpdir(), 'secu-dashboard-'));
  await mkdir(join(dashboardFolder, 'assets'));
  await writeFile(join(dashboardFolder, 'index.html'), PAGE);
  await writeFile(join(dashboardFolder, 'scheme.js'), '// colours');
  await writeFile(join(dashboardFolder, 'assets', 'index-abc.js'), SCRIPT);
  await writeFile(join(dashboardFolder, 'assets', 'index-abc.js.gz'), gzipSync(SCRIPT));
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world, { settings: { dashboardFolder } });
  bare = await startApi(world, { settings: { dashboardFolder: join(dashboardFolder, 'none') } });
});

afterAll(async () => {
  await world.close();
  await rm(dashboardFolder, { recursive: true, force: true });
});

const page = (path: string, at = api) => at.call(`GET ${path}`, { as: null, headers: BROWSER });

test.each(['/', '/integrations', '/integrations/int_01', '/findings?severity=critical', '/setup', '/none'])(
  'a browser opens %s directly and revalidates it each time, under a policy without inline code',
  async (path) => {
    const answer = await page(path);
    expect([answer.status, answer.text]).toEqual([200, PAGE]);
    expect(answer.headers.get('Content-Type')).toMatch(/^text\/html/);
    expect(answer.headers.get('Cache-Control')).toBe('no-cache');
    const policy = answer.headers.get('Content-Security-Policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  },
);

test('hashed files are immutable in caches and compressed when accepted', async () => {
  const packed = await api.call('GET /assets/index-abc.js', {
    as: null,
    headers: { 'Accept-Encoding': 'gzip' },
  });
  expect([packed.status, packed.text]).toEqual([200, SCRIPT]);
  expect(packed.headers.get('Content-Encoding')).toBe('gzip');
  expect(packed.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable');
  const plain = await api.call('GET /assets/index-abc.js', {
    as: null,
    headers: { 'Accept-Encoding': 'identity' },
  });
  expect(plain.headers.get('Content-Encoding')).toBeNull();
  expect(plain.text).toBe(SCRIPT);
  expect((await page('/scheme.js')).headers.get('Cache-Control')).toBe('no-cache');
});

test.each(['/assets/../index.html', '/assets/%2e%2e/%2e%2e/package.json', '/assets/none.js', '/none.js'])(
  'only built files are served: %s is 404',
  async (path) => {
    const answer = await page(path);
    expect([answer.status, answer.text.includes('<title>') || answer.text.includes('"name"')]).toEqual([
      404,
      false,
    ]);
  },
);

test('programs get 404 outside the API, and the API serves no pages', async () => {
  expect((await api.call('GET /integrations', { as: null })).body).toMatchObject({ code: 'not_found' });
  expect((await page('/api/v1/none')).status).toBe(401);
  expect((await page('/api/none')).body).toMatchObject({ code: 'not_found' });
  const post = await api.call('POST /integrations', { as: null, headers: BROWSER });
  expect(post.status).toBe(404);
});

test('without a built dashboard its pages are 404 and the API works', async () => {
  expect((await page('/', bare)).status).toBe(404);
  expect((await bare.call('GET integrations')).status).toBe(200);
});
