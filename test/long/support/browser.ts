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

/** `CHROMIUM_PATH`, or the first known executable name on the PATH. */
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

/** Scripts for the page are strings: these tests are compiled with the types of Node, not of a browser. */
const REPORT_VIOLATIONS =
  "addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))";

/** A page that records errors and policy violations. */
export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Script and console errors, violations of the content security policy, requests to other hosts. */
  problems: string[];
  /** JSON answers of the server, as text. */
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
  const problems: string[] = [];
  const answers: string[] = [];
  page.on('console', (message) => {
    // the browser logs every error answer; tests assert the expected ones themselves
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isAnswer)
      problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (err) => problems.push(`script: ${err.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${baseUrl}/`) && !url.startsWith('data:')) problems.push(`request to ${url}`);
  });
  page.on('response', (response) => {
    if (response.headers()['content-type']?.includes('json') !== true) return;
    response.text().then(
      (text) => answers.push(text),
      () => {}, // the page was left before the body arrived
    );
  });
  await page.addInitScript({ content: REPORT_VIOLATIONS });
  return { page, context, problems, answers };
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Serious and critical axe violations of the page in its current state, one line each. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const violations: Violation[] = await page.evaluate('axe.run().then(({ violations }) => violations)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary}`),
    );
}
