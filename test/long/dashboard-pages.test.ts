import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { WatchedPage } from './support/browser.ts';
import { axeViolations } from './support/browser.ts';
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

/** Limit for the compressed scripts and styles that a browser without a cache loads for the first page. */
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

const VIEWPORTS = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 400].map((width) => ({ colorScheme, width })),
);

/** Problems of the page in its current state, prefixed with its path or the name of a dialog. */
async function findProblems(page: Page, place: string): Promise<string[]> {
  const [overflow, titles]: [number, number] = await page.evaluate(
    "[document.documentElement.scrollWidth - innerWidth, document.querySelectorAll('h1').length]",
  );
  return [
    ...(await axeViolations(page)),
    ...(overflow > 0 ? [`${overflow} px too wide`] : []),
    ...(titles === 1 ? [] : [`${titles} titles`]),
  ].map((problem) => `${place}: ${problem}`);
}

async function withPage(viewport: (typeof VIEWPORTS)[number], work: (one: WatchedPage) => Promise<void>) {
  const one = await stage.open(viewport);
  try {
    await signIn(one.page, ADMIN);
    await work(one);
    expect(one.problems).toEqual([]);
  } finally {
    await one.context.close();
  }
}

test.each(VIEWPORTS)(
  'every page is accessible and fits the window, $colorScheme at $width px',
  async (viewport) => {
    await withPage(viewport, async ({ page }) => {
      const problems: string[] = [];
      for (const path of paths) {
        await page.goto(path);
        await shown(page);
        problems.push(...(await findProblems(page, path)));
      }
      expect(problems).toEqual([]);
    });
  },
);

async function chooseMoreAction(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: item }).click();
  await page.getByRole('dialog').waitFor();
}

/** Dialogs and menus: the page they belong to, and how to open them. */
const OVERLAYS: [name: string, path: () => string, open: (page: Page) => Promise<void>][] = [
  ['user menu', () => '/', (page) => page.getByRole('button', { name: 'Signed in as admin' }).click()],
  [
    'own password',
    () => '/',
    async (page) => {
      await page.getByRole('button', { name: 'Signed in as admin' }).click();
      await page.getByRole('menuitem', { name: 'Change password' }).click();
    },
  ],
  ['shortcuts', () => '/', (page) => page.keyboard.press('?')],
  ['palette', () => '/', (page) => page.keyboard.press('Control+k')],
  ['replace token', () => integrationPath, (page) => chooseMoreAction(page, 'Replace token')],
  ['remove', () => integrationPath, (page) => chooseMoreAction(page, 'Remove')],
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
    (page) => page.getByRole('button', { name: 'More actions for hook' }).click(),
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

test.each(VIEWPORTS)(
  'every dialog and menu is accessible and fits the window, $colorScheme at $width px',
  async (viewport) => {
    await withPage(viewport, async ({ page }) => {
      const problems: string[] = [];
      for (const [name, path, open] of OVERLAYS) {
        await page.goto(path());
        await shown(page);
        await open(page);
        await page.locator('[role=dialog], [role=menu]').first().waitFor();
        problems.push(...(await findProblems(page, name)));
      }
      expect(problems).toEqual([]);
    });
  },
);

test('the first load is below the limit, compressed and cached as immutable', async () => {
  const { page, context } = await stage.open();
  await signIn(page, ADMIN);
  const state = await context.storageState();
  await context.close();
  const fresh = await stage.browser.newContext({ baseURL: stage.secu.url, storageState: state });
  const first = await fresh.newPage();
  const files: {
    url: string;
    bytes: number;
    encoding: string | undefined;
    cacheControl: string | undefined;
  }[] = [];
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
          cacheControl: headers['cache-control'],
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
  expect(assets.filter(({ cacheControl }) => cacheControl?.includes('immutable') !== true)).toEqual([]);
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(BUDGET_BYTES);
});

test('ten tabs share one event stream', async () => {
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
