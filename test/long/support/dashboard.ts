import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { awaitUntil } from '../../../harness/await-until.ts';
import type { Answer } from '../../../harness/client.ts';
import type { Secu } from '../../../harness/secu.ts';
import { prepareSecu } from '../../../harness/secu.ts';
import type { Recipe, Simulator } from '../../../simulator/index.ts';
import { createSimulator, defaultRecipes } from '../../../simulator/index.ts';
import type { WatchedOptions, WatchedPage } from './browser.ts';
import { launchBrowser, openPage } from './browser.ts';
import { awaitSettled } from './story.ts';

/** Long enough for the password rules; used in tests only. */
export const PASSWORD = ['correct', 'horse', 'battery', 'staple'].join(' ');

export interface Person {
  username: string;
  password: string;
}
export const ADMIN: Person = { username: 'admin', password: PASSWORD };

/** A Secu started as a user starts it, a simulated GitLab, and a browser. */
export interface Stage {
  secu: Secu;
  simulator: Simulator;
  browser: Browser;
  /** Opens a page of this Secu that records errors and policy violations. */
  open(options?: Partial<WatchedOptions>): Promise<WatchedPage>;
  /** The setup link that the start printed. */
  setupLink: string;
  close(): Promise<void>;
}

export async function startStage({ recipes }: { recipes?: Recipe[] } = {}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-long-dashboard-'));
  const simulator = await createSimulator({ folder, recipes });
  const secu = await prepareSecu({
    env: {
      SECU_GITLAB_ORIGINS: simulator.url,
      SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
      SECU_GITLAB_RATE: '100/s',
      SECU_DISK_RESERVE: '1MiB',
      SECU_LOG_LEVEL: 'warn',
    },
  });
  await secu.start();
  // the API answers shortly before the link is printed
  const link = await awaitUntil(() => /http\S+\/setup#\S+(?=\s)/.exec(secu.output())?.[0], {
    what: 'the setup link',
  });
  const browser = await launchBrowser();
  return {
    secu,
    simulator,
    browser,
    open: (options = {}) => openPage({ browser, baseUrl: secu.url, ...options }),
    setupLink: link,
    async close() {
      await browser.close();
      await secu.remove();
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A few projects with findings of every severity, which are scanned quickly. */
export function fewRecipes(): Recipe[] {
  const paths = new Set(['acme/library', 'acme/shop', 'acme/payments', 'acme/billing', 'acme/console']);
  return defaultRecipes().filter(({ path }) => paths.has(path));
}

/** Creates the first administrator through the API. */
export async function setUpAdmin({ secu, setupLink }: Pick<Stage, 'secu' | 'setupLink'>): Promise<void> {
  const { hash } = new URL(setupLink);
  await created(secu.call('POST', '/auth/setup', { code: hash.slice(1), ...ADMIN }));
}

export async function addPerson(
  { secu }: Pick<Stage, 'secu'>,
  { username, role }: { username: string; role: string },
): Promise<Person & { id: string }> {
  const body = await created(secu.call('POST', '/users', { username, role, password: PASSWORD }));
  return { id: body.id, username, password: PASSWORD };
}

/** The body of a 201 answer. @throws for any other status */
export async function created(call: Promise<Answer>): Promise<Answer['body']> {
  const { status, body } = await call;
  if (status !== 201) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** Creates a token that can list and clone, owned by a new account. */
export function newToken({ simulator }: Pick<Stage, 'simulator'>, scopes: string[] = []): string {
  const { id: userId } = simulator.control.createUser({ name: 'Secu scanner' });
  return simulator.control.createToken({ userId, scopes: ['read_api', 'read_repository', ...scopes] }).token;
}

/** Adds an integration and waits until it is verified, synced and scanned. @returns its id */
export async function connect(stage: Pick<Stage, 'secu' | 'simulator'>, name = 'GitLab'): Promise<string> {
  const { secu, simulator } = stage;
  const token = newToken(stage);
  const body = { provider: 'gitlab', type: 'git', name, baseUrl: simulator.url, token };
  const { id } = await created(secu.call('POST', '/integrations', body));
  await awaitSettled(secu, id);
  return id;
}

/** Submits the sign-in or setup form of the open page. */
export async function fillSignIn(page: Page, { username, password }: Person): Promise<void> {
  await page.locator('[name=username]').fill(username);
  await page.locator('[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
}

/** Waits for the sign-in page. */
export async function atSignIn(page: Page): Promise<void> {
  await page.waitForURL((url) => url.pathname === '/sign-in');
}

/** Opens a page, signs in, and waits until the page is loaded. */
export async function signIn(page: Page, person: Person, path = '/'): Promise<void> {
  await page.goto(path);
  await atSignIn(page);
  await fillSignIn(page, person);
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  await shown(page);
}

/** Waits until the page has a title and nothing on it is loading. */
export async function shown(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
}
