import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page, Request } from 'playwright-core';
import { awaitUntil } from '../../harness/await-until.ts';
import type { WatchedPage } from './support/browser.ts';
import type { Person, Stage } from './support/dashboard.ts';
import {
  ADMIN,
  addPerson,
  atSignIn,
  connect,
  fewRecipes,
  fillSignIn,
  PASSWORD,
  shown,
  signIn,
  startStage,
} from './support/dashboard.ts';

let stage: Stage;
const opened: WatchedPage[] = [];

beforeAll(async () => {
  stage = await startStage({ recipes: fewRecipes() });
});

/** After each test no page may have reported an error or a policy violation. */
afterEach(async () => {
  const problems = opened.flatMap((one) => one.problems);
  for (const { context } of opened.splice(0)) await context.close();
  expect(problems).toEqual([]);
});

afterAll(async () => {
  await stage?.close();
});

async function open(): Promise<WatchedPage> {
  const one = await stage.open();
  opened.push(one);
  return one;
}

test('the setup link creates the first administrator; its code leaves the address and works once', async () => {
  const { page, answers } = await open();
  await page.goto('/setup#not-the-code');
  await fillSignIn(page, ADMIN);
  await page.getByRole('alert').getByText('no longer valid').waitFor();
  await page.getByLabel('Setup code').waitFor();

  const link = stage.setupLink;
  const code = new URL(link).hash.slice(1);
  const fresh = await open();
  await fresh.page.goto(link);
  await shown(fresh.page);
  expect(fresh.page.url()).toBe(`${stage.secu.url}/setup`);
  await fillSignIn(fresh.page, ADMIN);
  await fresh.page.waitForURL(`${stage.secu.url}/`);
  await shown(fresh.page);
  expect([...answers, ...fresh.answers].filter((answer) => answer.includes(code))).toEqual([]);

  const second = await open();
  await second.page.goto(link);
  await second.page.getByText('An administrator already exists.').waitFor();
});

test('a wrong password is reported, and sign-in opens the requested page', async () => {
  const { page } = await open();
  await page.goto('/findings?severity=critical');
  await atSignIn(page);
  await fillSignIn(page, { ...ADMIN, password: 'wrong horse battery' });
  await page.getByRole('alert').getByText('Incorrect username or password.').waitFor();
  await fillSignIn(page, ADMIN);
  await page.waitForURL(`${stage.secu.url}/findings?severity=critical`);
});

test.each(['//evil.example/x', '/\\evil.example', 'https://evil.example/'])(
  'sign-in never redirects to another site: %s',
  async (next) => {
    const { page } = await open();
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    await fillSignIn(page, ADMIN);
    await page.waitForURL(`${stage.secu.url}/`);
  },
);

test('sign-in attempts are throttled, and the button shows the seconds to wait', async () => {
  const { page } = await open();
  await page.goto('/sign-in');
  const throttledButton = page.getByRole('button', { name: /^Try again in \d+ s$/ });
  const attemptSignIn = async () => {
    const answered = page.waitForResponse('**/auth/sign-in');
    await fillSignIn(page, { username: 'unknown-user', password: 'wrong horse battery' });
    return (await answered).status();
  };
  let status = await attemptSignIn();
  for (let attempts = 1; status !== 429 && attempts < 10; attempts += 1) status = await attemptSignIn();
  expect(status).toBe(429);
  await throttledButton.waitFor();
  expect(await throttledButton.isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
});

test('an ended session opens the sign-in page, which leads back', async () => {
  const person = await addPerson(stage, { username: 'sessions', role: 'viewer' });
  const { page } = await open();
  await signIn(page, person, '/repositories?q=shop');
  const password = `${PASSWORD} anew`;
  const { status } = await stage.secu.call('PATCH', `/users/${person.id}`, { password });
  expect(status).toBe(200);
  // no click needed: the event stream ends with the session
  await atSignIn(page);
  await fillSignIn(page, { ...person, password });
  await page.waitForURL(`${stage.secu.url}/repositories?q=shop`);
});

test('"Sign out everywhere" ends sessions in other browsers', async () => {
  const person = await addPerson(stage, { username: 'everywhere', role: 'viewer' });
  const [here, there] = [await open(), await open()];
  await signIn(there.page, person, '/integrations');
  await signIn(here.page, person);
  await here.page.getByRole('button', { name: 'Signed in as everywhere' }).click();
  await here.page.getByRole('menuitem', { name: 'Sign out everywhere' }).click();
  await atSignIn(here.page);
  await atSignIn(there.page);
});

test('another site cannot use the session of this browser', async () => {
  const { page, context } = await open();
  await signIn(page, ADMIN);
  const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
  const refused = await context.request.post('/api/v1/auth/sign-out', {
    headers: foreign,
    data: { everywhere: true },
  });
  expect(refused.status()).toBe(403);
  const me = await context.request.get('/api/v1/auth/me');
  expect(me.status()).toBe(200);
});

const ADMIN_ONLY = ['/settings/channels', '/settings/api-keys', '/settings/users', '/settings/audit'];

test.each(['viewer', 'operator'])('a page that a %s may not open names the roles that may', async (role) => {
  const person = await addPerson(stage, { username: `forbidden-${role}`, role });
  const { page } = await open();
  await signIn(page, person);
  for (const path of ADMIN_ONLY) {
    await page.goto(path);
    await page.getByText('Administrators can open this page.').waitFor();
    expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
  }
  if (role === 'viewer') {
    await page.goto('/integrations/new');
    await page.getByText('can open this page').waitFor();
  }
});

test.each(['viewer', 'operator'])('a %s sees no button that the server would refuse', async (role) => {
  const integrationId = await integration();
  const person = await addPerson(stage, { username: `buttons-${role}`, role });
  expect(await refusedButtons(person, await pathsOf(integrationId))).toEqual([]);
});

let connected: string | null = null;
async function integration(): Promise<string> {
  connected ??= await connect(stage);
  return connected;
}

async function pathsOf(integrationId: string): Promise<string[]> {
  const [repository] = await stage.secu.list('/repositories?q=acme/shop');
  const [finding] = await stage.secu.list(`/findings?repositoryId=${repository.id}`);
  return [
    '/',
    '/integrations',
    `/integrations/${integrationId}`,
    `/integrations/${integrationId}?tab=activity`,
    `/integrations/${integrationId}?tab=settings`,
    '/repositories',
    `/repositories/${repository.id}`,
    `/repositories/${repository.id}?tab=scans`,
    `/scans/${repository.lastScan.id}`,
    `/findings?finding=${finding.id}`,
    '/settings/about',
  ];
}

/** Presses every button of every page, and every item of the menus they open. @returns those that caused a 403 */
async function refusedButtons(person: Person, paths: string[]): Promise<string[]> {
  const { page } = await open();
  await signIn(page, person);
  const answered = watchRequests(page);
  const refused: string[] = [];
  let pressed = '';
  page.on('response', (response) => {
    if (response.status() === 403)
      refused.push(`${pressed}: ${response.request().method()} ${response.url()}`);
  });
  for (const path of paths) {
    for (const name of await buttonsOf(page, path)) {
      pressed = `${path} "${name}"`;
      await press(page, answered, path, name);
    }
  }
  return refused;
}

/** @returns a function that waits until all requests of the page are answered, except the event stream */
function watchRequests(page: Page): () => Promise<unknown> {
  const waiting = new Set<Request>();
  // a link that opens another tab would put the page into the background
  page.on('popup', (other) => void other.close());
  page.on('request', (request) => request.url().endsWith('/events/stream') || waiting.add(request));
  const end = (request: Request) => waiting.delete(request);
  page.on('requestfinished', end);
  page.on('requestfailed', end);
  return async () => {
    await page.evaluate('new Promise((done) => setTimeout(done))');
    await awaitUntil(() => waiting.size === 0, { timeoutMs: 30_000, what: 'every request answered' });
  };
}

/** Opens a page and expands all of its collapsed sections. */
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await shown(page);
  await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true");
}

/** The distinct names of the enabled buttons of a page. */
async function buttonsOf(page: Page, path: string): Promise<string[]> {
  await visit(page, path);
  const buttons = await page.locator('main button:enabled:visible').all();
  const names = await Promise.all(
    buttons.map(async (one) => (await one.getAttribute('aria-label')) ?? (await one.innerText())),
  );
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))];
}

async function press(
  page: Page,
  answered: () => Promise<unknown>,
  path: string,
  name: string,
): Promise<void> {
  const items = page.locator('[role=menuitem]:visible:not([aria-disabled=true]):not([data-disabled])');
  for (let item = 0, count = 1; item < count; item += 1) {
    await visit(page, path);
    const button = page.locator('main').getByRole('button', { name, exact: true }).first();
    if ((await button.count()) === 0 || !(await button.isEnabled())) return;
    const opensMenu = (await button.getAttribute('aria-haspopup')) === 'menu';
    await button.click();
    if (opensMenu) {
      await items.first().waitFor();
      count = await items.count();
      await items.nth(item).click();
    }
    await answered();
  }
}
