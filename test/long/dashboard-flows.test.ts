import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { WatchedPage } from './support/browser.ts';
import type { Stage } from './support/dashboard.ts';
import { ADMIN, fewRecipes, newToken, setUpAdmin, shown, signIn, startStage } from './support/dashboard.ts';
import { awaitSettled } from './support/story.ts';
import { MEMORY, placesHolding } from './support/traces.ts';

/** The tests share one browser page and build on each other. */
let stage: Stage;
let watched: WatchedPage;
let integrationId: string;
const NAME = 'GitLab under test';
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
  expect(watched.problems.splice(0)).toEqual([]);
});

afterAll(async () => {
  await stage?.close();
});

function token(scopes: string[] = []): string {
  const created = newToken(stage, scopes);
  secrets.push(created);
  return created;
}

/** A token of valid form that GitLab does not know. */
function unknownToken(): string {
  const created = `glpat-${randomBytes(15).toString('base64url')}`;
  secrets.push(created);
  return created;
}

/** Types through the keyboard: a script of the test in the page would keep the text in memory. */
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

async function getIntegration() {
  return (await stage.secu.call('GET', `/integrations/${integrationId}`)).body;
}

test('the form explains a bad token before saving; a good one is saved and its scans appear without a reload', async () => {
  const { page } = watched;
  await page.getByRole('link', { name: 'Integrations' }).click();
  await page.getByRole('link', { name: 'New integration' }).first().click();
  await page.getByLabel('Instance URL').waitFor();
  await enter('baseUrl', stage.simulator.url);
  await enter('token', unknownToken());
  await page.getByText('Not usable: unknown token').waitFor();
  expect(await page.getByRole('button', { name: 'Save anyway' }).isEnabled()).toBe(true);

  await enter('token', token());
  await page.getByText(/^Usable: \d+ projects/).waitFor();
  await enter('name', NAME);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/\/integrations\/int_/);
  // one dry run per token, none per key stroke
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

test('a bad token is refused; a good one replaces the old token and keeps the findings', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  const before = await getIntegration();
  await choose('Replace token');
  await enter('token', unknownToken());
  await page.getByRole('button', { name: 'Replace token' }).click();
  await page.getByRole('alert').getByText('Not replaced').waitFor();
  expect(await page.locator('[name=token]').inputValue()).toBe('');
  expect((await getIntegration()).token.gitlabTokenId).toBe(before.token.gitlabTokenId);

  await enter('token', token(['self_rotate']));
  await page.getByRole('button', { name: 'Replace token' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('Token replaced.').waitFor();
  const after = await getIntegration();
  expect(after.token.gitlabTokenId).not.toBe(before.token.gitlabTokenId);
  expect(after.counts.openFindings).toBe(before.counts.openFindings);
});

test('a token is rotated after a warning that the old one is revoked', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  const before = await getIntegration();
  await choose('Rotate token');
  await page.getByText('GitLab revokes the old token immediately.').waitFor();
  await page.getByRole('button', { name: 'Rotate token' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('Token rotated.').waitFor();
  const after = await getIntegration();
  expect(after.status).toBe('active');
  expect(after.token.gitlabTokenId).not.toBe(before.token.gitlabTokenId);
});

test('findings are triaged by keyboard, and a triage can be undone', async () => {
  const { page } = watched;
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await page.getByRole('heading', { name: 'Findings' }).waitFor();
  await shown(page);
  const ignoredReasons = async () =>
    (await stage.secu.list('/findings?status=ignored')).map(({ triage }) => triage.reason);
  const ignoredLabels = page.getByText(/^Ignored: false positive/);
  for (const key of ['j', 'i', '1']) await page.keyboard.press(key);
  await ignoredLabels.first().waitFor();
  for (const key of ['j', 'x', 'Shift+J', 'i', '1']) await page.keyboard.press(key);
  await ignoredLabels.nth(2).waitFor();
  // the page updates before the server has answered
  const ignoredCount = async (count: number) => (await ignoredReasons()).length === count;
  await awaitUntil(() => ignoredCount(3), { what: 'three ignored findings on the server' });
  await expect(ignoredReasons()).resolves.toEqual(['false_positive', 'false_positive', 'false_positive']);
  // triaged rows stay in place and offer Undo
  await page.getByRole('button', { name: 'Undo' }).first().click();
  await ignoredLabels.nth(2).waitFor({ state: 'detached' });
  await awaitUntil(() => ignoredCount(2), { what: 'the triage undone on the server' });
});

test('the page shows an outage of Secu, and updates without a reload when it is back', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  await page.locator('[data-live=live]').waitFor();
  await page.evaluate('globalThis.sameDocument = true');
  await stage.secu.stop();
  await page.getByText(/^Reconnecting\. Last updated \d\d:\d\d UTC$/).waitFor();
  await page.getByRole('heading', { name: NAME }).waitFor();
  await stage.secu.start();
  await stage.secu.call('PATCH', `/integrations/${integrationId}`, { paused: true });
  await page.locator('[data-live=live]').waitFor();
  await page.getByText('Paused', { exact: true }).first().waitFor();
  expect(await page.evaluate('globalThis.sameDocument')).toBe(true);
});

test('no token stays in the page, its memory, storage, history or in server answers', async () => {
  const { page } = watched;
  await page.getByRole('link', { name: 'Overview' }).click();
  await shown(page);
  // without a reload: neither a good nor a bad token may stay in memory
  await page.getByRole('link', { name: 'Integrations' }).click();
  await page.getByRole('link', { name: 'New integration' }).first().click();
  await page.getByLabel('Instance URL').waitFor();
  await enter('baseUrl', stage.simulator.url);
  await enter('token', token());
  await page.getByText(/^Usable: /).waitFor();
  await enter('token', unknownToken());
  await page.getByText('Not usable: unknown token').waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await expect(placesHolding(watched, { secrets, addresses })).resolves.toEqual([]);

  // proves that the search finds a token that is kept
  const canary = unknownToken();
  await page.evaluate(`globalThis.kept = { cache: [${JSON.stringify({ token: canary })}] }`);
  await expect(placesHolding(watched, { secrets, addresses })).resolves.toEqual([MEMORY]);
});

test('an integration is removed only after its name is typed', async () => {
  const { page } = watched;
  await page.goto(`/integrations/${integrationId}`);
  await choose('Remove');
  const removeButton = page.getByRole('button', { name: 'Remove integration' });
  expect(await removeButton.isDisabled()).toBe(true);
  const field = page.getByRole('dialog').getByRole('textbox');
  await field.fill(NAME.slice(0, -1));
  expect(await removeButton.isDisabled()).toBe(true);
  await field.fill(NAME);
  await removeButton.click();
  await page.waitForURL(`${stage.secu.url}/integrations`);
  await page.getByText('Connect GitLab to get started').waitFor();
  expect((await stage.secu.call('GET', `/integrations/${integrationId}`)).status).toBe(404);
});
