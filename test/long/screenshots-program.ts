import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { awaitUntil } from '../../harness/await-until.ts';
import type { Stage } from './support/dashboard.ts';
import {
  ADMIN,
  addPerson,
  connect,
  created,
  setUpAdmin,
  shown,
  signIn,
  startStage,
} from './support/dashboard.ts';

const FOLDER = fileURLToPath(new URL('../../docs/images', import.meta.url));
const DAY_MS = 86_400_000;

/** Screenshots of every page in both themes, with sample data: `npm run screenshots`. */
async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const stage = await startStage();
  try {
    log('Secu is running with a simulated GitLab; connecting and scanning');
    const paths = await addSampleData(stage);
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, context } = await stage.open({ colorScheme });
      await signIn(page, ADMIN);
      for (const [name, path] of Object.entries(paths))
        await takeScreenshot(page, path, `${name}-${colorScheme}.png`);
      await context.close();
    }
  } finally {
    await stage.close();
  }
}

async function takeScreenshot(page: Page, path: string, file: string): Promise<void> {
  await page.goto(path);
  await shown(page);
  await page.evaluate('document.fonts.ready.then(() => null)');
  await page.screenshot({ path: join(FOLDER, file) });
  log(`docs/images/${file}`);
}

/** Adds one working integration and two that need attention. @returns the paths of the pages by name */
async function addSampleData(stage: Stage): Promise<Record<string, string>> {
  const { secu } = stage;
  await setUpAdmin(stage);
  const id = await connect(stage, 'GitLab Production');
  await addFailingIntegrations(stage);
  await addPerson(stage, { username: 'alice', role: 'operator' });
  await addPerson(stage, { username: 'bob', role: 'viewer' });
  await created(secu.call('POST', '/api-keys', { name: 'ci', role: 'operator' }));
  await created(secu.call('POST', '/api-keys', { name: 'team calendar', role: 'calendar' }));
  const url = 'https://hooks.example.com/secu';
  await created(secu.call('POST', '/channels', { kind: 'webhook', name: 'Platform team', url }));
  const [repository] = await secu.list('/repositories?q=acme/billing');
  const [finding] = await secu.list(`/findings?repositoryId=${repository.id}`);
  return {
    overview: '/',
    integrations: '/integrations',
    'new-integration': '/integrations/new',
    integration: `/integrations/${id}`,
    'integration-activity': `/integrations/${id}?tab=activity`,
    'integration-settings': `/integrations/${id}?tab=settings`,
    repositories: '/repositories',
    repository: `/repositories/${repository.id}`,
    'repository-coverage': `/repositories/${repository.id}?tab=coverage`,
    scan: `/scans/${repository.lastScan.id}`,
    findings: '/findings',
    finding: `/findings?finding=${finding.id}`,
    channels: '/settings/channels',
    'api-keys': '/settings/api-keys',
    users: '/settings/users',
    audit: '/settings/audit',
    about: '/settings/about',
  };
}

/** One integration with a token that expires soon, and one with a revoked token. */
async function addFailingIntegrations({ secu, simulator }: Stage): Promise<void> {
  const { control } = simulator;
  const addIntegration = async (name: string, days: number) => {
    const expiresAt = new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
    const { id: userId } = control.createUser({ name: 'Secu scanner' });
    const token = control.createToken({ userId, scopes: ['read_api', 'read_repository'], expiresAt });
    const filters = {
      include: ['acme/library', 'acme/handbook'],
      exclude: [],
      archived: false,
      forks: true,
      personal: true,
    };
    const body = {
      provider: 'gitlab',
      type: 'git',
      name,
      baseUrl: simulator.url,
      token: token.token,
      filters,
    };
    return { tokenId: token.id, ...(await created(secu.call('POST', '/integrations', body))) };
  };
  await addIntegration('GitLab Labs', 9);
  const { id, tokenId } = await addIntegration('GitLab Legacy', 140);
  control.revokeToken(tokenId);
  await awaitUntil(
    async () => (await secu.call('POST', `/integrations/${id}/verify`)).body.status === 'invalid',
    { timeoutMs: 60_000, what: 'the revoked token to be detected' },
  );
}

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
