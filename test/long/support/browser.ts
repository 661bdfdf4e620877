import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Chromium of the system: `CHROMIUM_PATH`, or the first of its usual names on the path. */
function chromiumPath(): string {
  const named = process.env['CHROMIUM_PATH'];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found =
    named ?? folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(existsSync);
  if (found === undefined)
    throw new Error(
      'these tests need Chromium: "apt-get install --no-install-recommends chromium", or set CHROMIUM_PATH',
    );
  return found;
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: FLAGS });
}

/** Scripts of the page are text here: the types of these tests are Node's, not a browser's. */
const TELL_BREACHES =
  "addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))";

/** A page that writes down whatever must never happen on one of ours. */
export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Errors of scripts and console, breaches of the policy, requests to other hosts; empty when all is well. */
  troubles: string[];
  /** What the server answered, as text. */
  answers: string[];
}

export interface WatchedOptions {
  browser: Browser;
  baseUrl: string;
  width?: number;
  colorScheme?: 'light' | 'dark';
}

export async function openPage({
  browser,
  baseUrl,
  width = 1280,
  colorScheme = 'light',
}: WatchedOptions): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: baseUrl,
    viewport: { width, height: 800 },
    colorScheme,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  const answers: string[] = [];
  page.on('console', (message) => {
    // the browser itself writes one for each answer that is no success; which are expected, tests say themselves
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isAnswer)
      troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (err) => troubles.push(`script: ${err.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${baseUrl}/`) && !url.startsWith('data:')) troubles.push(`request to ${url}`);
  });
  page.on('response', (response) => {
    if (response.headers()['content-type']?.includes('json') !== true) return;
    response.text().then(
      (text) => answers.push(text),
      () => {}, // the page went on before the body was there: nothing was shown either
    );
  });
  await page.addInitScript({ content: TELL_BREACHES });
  return { page, context, troubles, answers };
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe calls serious or critical on the page as it is, one line each. */
export async function axeTroubles(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const violations: Violation[] = await page.evaluate('axe.run().then(({ violations }) => violations)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary}`),
    );
}
