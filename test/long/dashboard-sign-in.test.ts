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

/** Nothing that must not happen happened on any page, whatever a test looked at. */
afterEach(async () => {
  const troubles = opened.flatMap((one) => one.troubles);
  for (const { context } of opened.splice(0)) await context.close();
  expect(troubles).toEqual([]);
});

afterAll(async () => {
  await stage?.close();
});

async function open(): Promise<WatchedPage> {
  const one = await stage.open();
  opened.push(one);
  return one;
}

test('the printed link makes the first administrator; its code leaves the address at once and works once', async () => {
  const { page, answers } = await open();
  await page.goto('/setup#not-the-code');
  await fillSignIn(page, ADMIN);
  await page.getByRole('alert').getByText('no longer valid').waitFor();
  await page.getByLabel('Set-up code').waitFor();

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

  const late = await open();
  await late.page.goto(link);
  await late.page.getByText('There is an administrator already.').waitFor();
});

test('a wrong password says so and nothing else, and the right one leads where one wanted to go', async () => {
  const { page } = await open();
  await page.goto('/findings?severity=critical');
  await atSignIn(page);
  await fillSignIn(page, { ...ADMIN, password: 'wrong horse battery' });
  await page.getByRole('alert').getByText('Username or password is wrong.').waitFor();
  await fillSignIn(page, ADMIN);
  await page.waitForURL(`${stage.secu.url}/findings?severity=critical`);
});

test.each(['//evil.example/x', '/\\evil.example', 'https://evil.example/'])(
  'never leads elsewhere after signing in: %s',
  async (next) => {
    const { page } = await open();
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    await fillSignIn(page, ADMIN);
    await page.waitForURL(`${stage.secu.url}/`);
  },
);

test('tries are throttled, with the seconds to wait on the button', async () => {
  const { page } = await open();
  await page.goto('/sign-in');
  const waits = page.getByRole('button', { name: /^Next try in \d+ s$/ });
  const guess = async () => {
    const answered = page.waitForResponse('**/auth/sign-in');
    await fillSignIn(page, { username: 'somebody', password: 'wrong horse battery' });
    return (await answered).status();
  };
  let status = await guess();
  for (let tries = 1; status !== 429 && tries < 10; tries += 1) status = await guess();
  expect(status).toBe(429);
  await waits.waitFor();
  expect(await waits.isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
});

test('an ended session leads to the page for signing in, and back again', async () => {
  const person = await addPerson(stage, { username: 'sessions', role: 'viewer' });
  const { page } = await open();
  await signIn(page, person, '/repositories?q=shop');
  const password = `${PASSWORD} anew`;
  const { status } = await stage.secu.call('PATCH', `/users/${person.id}`, { password });
  expect(status).toBe(200);
  // without a click: the stream of events ends with the session
  await atSignIn(page);
  await fillSignIn(page, { ...person, password });
  await page.waitForURL(`${stage.secu.url}/repositories?q=shop`);
});

test('signing out everywhere ends what is open in other browsers', async () => {
  const person = await addPerson(stage, { username: 'everywhere', role: 'viewer' });
  const [here, there] = [await open(), await open()];
  await signIn(there.page, person, '/integrations');
  await signIn(here.page, person);
  await here.page.getByRole('button', { name: 'Signed in as everywhere' }).click();
  await here.page.getByRole('menuitem', { name: 'Sign out everywhere' }).click();
  await atSignIn(here.page);
  await atSignIn(there.page);
});

test('another site can do nothing with the session of this browser', async () => {
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

test.each(['viewer', 'operator'])('the address of what a %s may not open says who may', async (role) => {
  const person = await addPerson(stage, { username: `forbidden-${role}`, role });
  const { page } = await open();
  await signIn(page, person);
  for (const path of ADMIN_ONLY) {
    await page.goto(path);
    await page.getByText('Administrators may open this.').waitFor();
    expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
  }
  if (role === 'viewer') {
    await page.goto('/integrations/new');
    await page.getByText('may open this').waitFor();
  }
});

test.each(['viewer', 'operator'])('a %s sees no button that the server refuses', async (role) => {
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

/** Presses every button of every page, and every item of what that opens. @returns which of them got a 403 */
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

/** @returns what waits until whatever the page asked of the server is answered; its stream of events never is */
function watchRequests(page: Page): () => Promise<unknown> {
  const waiting = new Set<Request>();
  // what opens beside it, as a link into Temporal does, would put the page into the background
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

/** With all that is folded opened. */
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await shown(page);
  await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true");
}

/** The names of what can be pressed; of many of one name, as in a list, one is enough. */
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
