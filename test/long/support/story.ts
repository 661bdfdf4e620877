import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { awaitUntil } from '../../../harness/await-until.ts';
import type { Client } from '../../../harness/client.ts';
import type { Secu } from '../../../harness/secu.ts';
import type { Simulator } from '../../../simulator/index.ts';
import { expectationsOf } from '../../../simulator/index.ts';
import { escapeForeignText } from '../../../src/domain/finding.ts';

/** Waits until the integration is active and listed, no scan is queued or running, and every repository was scanned. */
export async function awaitSettled(secu: Client, integrationId: string): Promise<void> {
  let observed: unknown = null;
  await awaitUntil(
    async () => {
      const now = await look(secu, integrationId);
      observed = now;
      if (now === null || now.status !== 'active' || now.sync.state !== 'idle') return false;
      if (now.scans.queued + now.scans.running > 0 || now.counts.repositories === 0) return false;
      const active = await secu.list(`/repositories?integrationId=${integrationId}&state=active`);
      return active.every((repository) => repository.lastScan !== null);
    },
    { timeoutMs: 180_000, what: 'settled' },
  ).catch((err: unknown) => {
    throw new Error(`the scans did not finish; the last state was ${JSON.stringify(observed)}`, {
      cause: err,
    });
  });
}

/** The integration, or `null` while the API or its database is unavailable. */
export async function look(secu: Client, integrationId: string) {
  try {
    const { status, body } = await secu.call('GET', `/integrations/${integrationId}`);
    return status === 200 ? body : null;
  } catch {
    return null;
  }
}

/** `path:line` of expected and of open findings, by repository; equal if the scans are correct. */
export async function wantedAndFound(secu: Client, simulator: Simulator, integrationId: string) {
  const expected: Record<string, string[]> = {};
  const found: Record<string, string[]> = {};
  const expectations = expectationsOf(simulator.recipes);
  for (const repository of await secu.list(`/repositories?integrationId=${integrationId}&state=active`)) {
    const path: string = repository.fullPath;
    const expectation = expectations[path];
    const flaws = (expectation?.flaws ?? []).filter(({ ruleId }) => ruleId !== undefined);
    const { findings = [], historyFindings = [] } = expectation ?? {};
    const places = [...findings, ...historyFindings, ...flaws].map(
      (one) => `${escapeForeignText(one.path)}:${one.line}`,
    );
    expected[path] = expectation?.clone === 'refused' ? [] : [...new Set(places)].sort();
    const mayFind = new Set(
      (expectation?.mayFind ?? []).map((one) => `${escapeForeignText(one.path)}:${one.line}`),
    );
    const open = await secu.list(`/findings?repositoryId=${repository.id}&status=open`);
    found[path] = [...new Set(open.map((one) => `${one.path}:${one.startLine}`))]
      .filter((place) => !mayFind.has(place))
      .sort();
  }
  return { wanted: expected, found };
}

/** Files that scans left in the folders for clones. */
export function workspacesOf({ home }: Pick<Secu, 'home'>): string[] {
  const entries = readdirSync(join(home, 'work', 'scans'), { recursive: true, encoding: 'utf8' });
  return entries.filter((path) => /^[^/]+\/scn_[^/]+$/.test(path));
}
