import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { WatchedPage } from './support/browser.ts';
import { axeTroubles } from './support/browser.ts';
import type { Stage } from './support/dashboard.ts';
import {
  ADMIN,
  addPerson,
  connect,
  created,
  fewRecipes,
  setUpAdmin,
  shown,
  signIn,
  startStage,
} from './support/dashboard.ts';

/** What a browser without a cache loads before the first page is there: scripts and styles, packed. */
const BUDGET_BYTES = 220_000;

let stage: Stage;
let paths: string[];
let integrationPath: string;

beforeAll(async () => {
  stage = await startStage({ recipes: fewRecipes() });
  await setUpAdmin(stage);
  const id = await connect(stage);
  integrationPath = `/integrations/${id}`;
  await addPerson(stage, { username: 'vera', role: 'viewer' });
  const { secu } = stage;
  await created(secu.call('POST', '/api-keys', { name: 'ci', role: 'viewer' }));
  const channelBody = { kind: 'webhook', name: 'hook', url: 'https://hooks.example.com/secu' };
  const channel = await created(secu.call('POST', '/channels', channelBody));
  const [repository] = await secu.list('/repositories?q=acme/shop');
  const [finding] = await secu.list(`/findings?repositoryId=${repository.id}`);
  paths = [
    '/',
    '/integrations',
    '/integrations?status=invalid',
    '/integrations/new',
    integrationPath,
    `${integrationPath}?tab=activity`,
    `${integrationPath}?tab=settings`,
    '/repositories',
    '/repositories?q=nothing-is-called-this',
    `/repositories/${repository.id}`,
    `/repositories/${repository.id}?tab=scans`,
    `/repositories/${repository.id}?tab=coverage`,
    '/repositories/rep_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    `/scans/${repository.lastScan.id}`,
    '/findings',
    '/findings?q=nothing-is-called-this',
    `/findings?severity=critical,high&finding=${finding.id}`,
    '/settings/channels',
    `/settings/channels?channel=${channel.id}`,
    '/settings/api-keys',
    '/settings/users',
    '/settings/audit',
    '/settings/about',
    '/no/such/page',
    '/sign-in',
    '/setup',
  ];
});

afterAll(async () => {
  await stage?.close();
});

const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 400].map((width) => ({ colorScheme, width })),
);

/** What is wrong with the page as it is now, each line with its place. */
async function flaws(page: Page, place: string): Promise<string[]> {
  const [overflow, titles]: [number, number] = await page.evaluate(
    "[document.documentElement.scrollWidth - innerWidth, document.querySelectorAll('h1').length]",
  );
  return [
    ...(await axeTroubles(page)),
    ...(overflow > 0 ? [`${overflow} px too wide`] : []),
    ...(titles === 1 ? [] : [`${titles} titles`]),
  ].map((flaw) => `${place}: ${flaw}`);
}

async function withPage(look: (typeof LOOKS)[number], work: (one: WatchedPage) => Promise<void>) {
  const one = await stage.open(look);
  try {
    await signIn(one.page, ADMIN);
    await work(one);
    expect(one.troubles).toEqual([]);
  } finally {
    await one.context.close();
  }
}

test.each(LOOKS)('every page is sound, $colorScheme at $width px', async (look) => {
  await withPage(look, async ({ page }) => {
    const found: string[] = [];
    for (const path of paths) {
      await page.goto(path);
      await shown(page);
      found.push(...(await flaws(page, path)));
    }
    expect(found).toEqual([]);
  });
});

async function more(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: item }).click();
  await page.getByRole('dialog').waitFor();
}

/** What opens over a page: where, and what is pressed for it one after the other. */
const LAYERS: [name: string, path: () => string, open: (page: Page) => Promise<void>][] = [
  ['user menu', () => '/', (page) => page.getByRole('button', { name: 'Signed in as admin' }).click()],
  [
    'own password',
    () => '/',
    async (page) => {
      await page.getByRole('button', { name: 'Signed in as admin' }).click();
      await page.getByRole('menuitem', { name: 'Change password' }).click();
    },
  ],
  ['keys', () => '/', (page) => page.keyboard.press('?')],
  ['palette', () => '/', (page) => page.keyboard.press('Control+k')],
  ['replace token', () => integrationPath, (page) => more(page, 'Replace token')],
  ['remove', () => integrationPath, (page) => more(page, 'Remove')],
  [
    'more actions',
    () => integrationPath,
    (page) => page.getByRole('button', { name: 'More actions' }).click(),
  ],
  [
    'new channel',
    () => '/settings/channels',
    (page) => page.getByRole('button', { name: 'New channel' }).click(),
  ],
  [
    'menu of a channel',
    () => '/settings/channels',
    (page) => page.getByRole('button', { name: 'More for hook' }).click(),
  ],
  ['new key', () => '/settings/api-keys', (page) => page.getByRole('button', { name: 'New key' }).click()],
  [
    'revoke',
    () => '/settings/api-keys',
    (page) => page.getByRole('button', { name: 'Revoke the key ci' }).click(),
  ],
  ['new user', () => '/settings/users', (page) => page.getByRole('button', { name: 'New user' }).click()],
  [
    'change role',
    () => '/settings/users',
    async (page) => {
      await page.getByRole('button', { name: 'Change vera' }).click();
      await page.getByRole('menuitem', { name: 'Change role' }).click();
    },
  ],
];

test.each(LOOKS)('every layer is sound, $colorScheme at $width px', async (look) => {
  await withPage(look, async ({ page }) => {
    const found: string[] = [];
    for (const [name, path, open] of LAYERS) {
      await page.goto(path());
      await shown(page);
      await open(page);
      await page.locator('[role=dialog], [role=menu]').first().waitFor();
      found.push(...(await flaws(page, name)));
    }
    expect(found).toEqual([]);
  });
});

test('the first load is small, packed, and kept for ever', async () => {
  const { page, context } = await stage.open();
  await signIn(page, ADMIN);
  const state = await context.storageState();
  await context.close();
  const fresh = await stage.browser.newContext({ baseURL: stage.secu.url, storageState: state });
  const first = await fresh.newPage();
  const files: { url: string; bytes: number; encoding: string | undefined; kept: string | undefined }[] = [];
  const measured: Promise<void>[] = [];
  first.on('requestfinished', (request) => {
    if (!/\.(?:js|css)$/.test(new URL(request.url()).pathname)) return;
    measured.push(
      (async () => {
        const headers = (await request.response())?.headers() ?? {};
        const { responseBodySize: bytes } = await request.sizes();
        files.push({
          url: request.url(),
          bytes,
          encoding: headers['content-encoding'],
          kept: headers['cache-control'],
        });
      })(),
    );
  });
  await first.goto('/');
  await shown(first);
  await Promise.all(measured);
  await fresh.close();

  expect(files.length).toBeGreaterThan(3);
  expect(files.filter(({ encoding }) => encoding !== 'gzip')).toEqual([]);
  const assets = files.filter(({ url }) => url.includes('/assets/'));
  expect(assets.filter(({ kept }) => kept?.includes('immutable') !== true)).toEqual([]);
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(BUDGET_BYTES);
});

test('ten tabs read one stream of events, and all of them load', async () => {
  const { page, context } = await stage.open();
  let streams = 0;
  context.on('request', (request) => {
    if (request.url().endsWith('/events/stream')) streams += 1;
  });
  await signIn(page, ADMIN);
  for (let tabs = 1; tabs < 10; tabs += 1) {
    const tab = await context.newPage();
    await tab.goto('/integrations');
    await shown(tab);
    await tab.locator('[data-live=live]').waitFor();
  }
  expect(streams).toBe(1);
  await context.close();
});
