import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { WatchedPage } from './support/browser.ts';
import type { Stage } from './support/dashboard.ts';
import { ADMIN, fewRecipes, newToken, setUpAdmin, shown, signIn, startStage } from './support/dashboard.ts';
import { awaitSettled } from './support/story.ts';
import { MEMORY, placesHolding } from './support/traces.ts';

/** One story, one browser, one page that is never loaded anew unless a test says so. */
let stage: Stage;
let watched: WatchedPage;
let integrationId: string;
const NAME = 'GitLab of the story';
const secrets: string[] = [];
const addresses: string[] = [];

beforeAll(async () => {
  stage = await startStage({ recipes: [...fewRecipes(), ...fleetRecipes(12)] });
  await setUpAdmin(stage);
  watched = await stage.open();
  watched.page.on('request', (request) => addresses.push(request.url()));
  await signIn(watched.page, ADMIN);
});

afterEach(() => {
  expect(watched.troubles.splice(0)).toEqual([]);
});

afterAll(async () => {
  await stage?.close();
});

function token(scopes: string[] = []): string {
  const made = newToken(stage, scopes);
  secrets.push(made);
  return made;
}

/** Of the right form, and unknown to GitLab. */
function wrongToken(): string {
  const made = `glpat-${randomBytes(15).toString('base64url')}`;
  secrets.push(made);
  return made;
}

/** Types without a script of the test in the page, which would hold the text itself. */
async function enter(field: string, text: string): Promise<void> {
  const { page } = watched;
  await page.locator(`[name=${field}]`).focus();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}

async function choose(item: string): Promise<void> {
  const { page } = watched;
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: item, exact: false }).click();
  await page.getByRole('dialog').waitFor();
}

async function look() {
  return (await stage.secu.call('GET', `/integrations/${integrationId}`)).body;
}

test('a wrong token is explained before it is saved; a right one is saved, and its scans arrive by themselves', async () => {
  const { page } = watched;
  await page.getByRole('link', { name: 'Integrations' }).click();
  await page.getByRole('link', { name: 'New integration' }).first().click();
  await page.getByLabel('Instance URL').waitFor();
  await enter('baseUrl', stage.simulator.url);
  await enter('token', wrongToken());
  await page.getByText('Not usable: unknown token').waitFor();
  expect(await page.getByRole('button', { name: 'Save anyway' }).isEnabled()).toBe(true);

  await enter('token', token());
  await page.getByText(/^Usable: \d+ projects/).waitFor();
  await enter('name', NAME);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/\/integrations\/int_/);
  // one try a token, none a key stroke
  expect(addresses.filter((address) => address.endsWith('/integrations/test'))).toHaveLength(2);

  integrationId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await page.evaluate('globalThis.sameDocument = true');
  await page.getByRole('heading', { name: NAME }).waitFor();
  await page.getByText('Active', { exact: true }).first().waitFor();
  await awaitSettled(stage.secu, integrationId);
  await page.getByRole('region', { name: 'Scanning' }).waitFor({ state: 'detached' });
  const { body } = await stage.secu.call('GET', '/findings/summary?status=open');
  expect(body.total).toBeGreaterThan(5);
  await page.getByRole('link', { name: 'Findings', exact: true }).click();
  await page.getByText(new RegExp(`of ${body.total} findings`)).waitFor();
  expect(await page.evaluate('globalThis.sameDocument')).toBe(true);
});

test('a bad token replaces nothing; a good one does, and what was found stays', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  const before = await look();
  await choose('Replace token');
  await enter('token', wrongToken());
  await page.getByRole('button', { name: 'Replace token' }).click();
  await page.getByRole('alert').getByText('Not replaced').waitFor();
  expect(await page.locator('[name=token]').inputValue()).toBe('');
  expect((await look()).token.gitlabTokenId).toBe(before.token.gitlabTokenId);

  await enter('token', token(['self_rotate']));
  await page.getByRole('button', { name: 'Replace token' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('Token replaced.').waitFor();
  const after = await look();
  expect(after.token.gitlabTokenId).not.toBe(before.token.gitlabTokenId);
  expect(after.counts.openFindings).toBe(before.counts.openFindings);
});

test('a token rotates at GitLab, once one was told that the old one dies', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  const before = await look();
  await choose('Rotate at GitLab');
  await page.getByText('GitLab ends the old token at once.').waitFor();
  await page.getByRole('button', { name: 'Rotate token' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('The token was rotated.').waitFor();
  const after = await look();
  expect(after.status).toBe('active');
  expect(after.token.gitlabTokenId).not.toBe(before.token.gitlabTokenId);
});

test('findings are judged without a mouse, and a judgement is undone', async () => {
  const { page } = watched;
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await page.getByRole('heading', { name: 'Findings' }).waitFor();
  await shown(page);
  const ignored = async () =>
    (await stage.secu.list('/findings?status=ignored')).map(({ triage }) => triage.reason);
  const marks = page.getByText(/^Ignored: false positive/);
  for (const key of ['j', 'i', '1']) await page.keyboard.press(key);
  await marks.first().waitFor();
  for (const key of ['j', 'x', 'Shift+J', 'i', '1']) await page.keyboard.press(key);
  await marks.nth(2).waitFor();
  await expect(ignored()).resolves.toEqual(['false_positive', 'false_positive', 'false_positive']);
  // the rows stand where they stood, each with its way back
  await page.getByRole('button', { name: 'Undo' }).first().click();
  await marks.nth(2).waitFor({ state: 'detached' });
  await expect(ignored()).resolves.toHaveLength(2);
});

test('when Secu is away the page says so, and is current again without a reload', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  await page.locator('[data-live=live]').waitFor();
  await page.evaluate('globalThis.sameDocument = true');
  await stage.secu.stop();
  await page.getByText(/^Reconnecting; shown as of \d\d:\d\d UTC$/).waitFor();
  await page.getByRole('heading', { name: NAME }).waitFor();
  await stage.secu.start();
  await stage.secu.call('PATCH', `/integrations/${integrationId}`, { paused: true });
  await page.locator('[data-live=live]').waitFor();
  await page.getByText('Paused', { exact: true }).first().waitFor();
  expect(await page.evaluate('globalThis.sameDocument')).toBe(true);
});

test('no token is left in the page, its memory, storage, history, or in what the server answered', async () => {
  const { page } = watched;
  await page.getByRole('link', { name: 'Overview' }).click();
  await shown(page);
  // a page without a reload since: a wrong token, a right one, none of them kept
  await page.getByRole('link', { name: 'Integrations' }).click();
  await page.getByRole('link', { name: 'New integration' }).first().click();
  await page.getByLabel('Instance URL').waitFor();
  await enter('baseUrl', stage.simulator.url);
  await enter('token', token());
  await page.getByText(/^Usable: /).waitFor();
  await enter('token', wrongToken());
  await page.getByText('Not usable: unknown token').waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await expect(placesHolding(watched, { secrets, addresses })).resolves.toEqual([]);

  // the search itself finds what is there
  const canary = wrongToken();
  await page.evaluate(`globalThis.kept = { cache: [${JSON.stringify({ token: canary })}] }`);
  await expect(placesHolding(watched, { secrets, addresses })).resolves.toEqual([MEMORY]);
});

test('an integration is removed once its name is typed, and not before', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  await choose('Remove');
  const act = page.getByRole('button', { name: 'Remove integration' });
  expect(await act.isDisabled()).toBe(true);
  const field = page.getByRole('dialog').getByRole('textbox');
  await field.fill(NAME.slice(0, -1));
  expect(await act.isDisabled()).toBe(true);
  await field.fill(NAME);
  await act.click();
  await page.waitForURL(`${stage.secu.url}/integrations`);
  await page.getByText('Connect GitLab to begin.').waitFor();
  expect((await stage.secu.call('GET', `/integrations/${integrationId}`)).status).toBe(404);
});
