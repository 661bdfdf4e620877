import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { addIntegration } from '../support/integration.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { realGit, realScanners } from './support/real-tools.ts';

/** Pushes to measure; `SECU_HOOK_PUSHES=10` prints the times of ten. */
const PUSHES = Number(process.env['SECU_HOOK_PUSHES'] ?? 1);

let world: TestWorld;
let api: TestApi;
let integrationId: string;
let path: string;

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(1) },
    git: realGit,
    scanners: realScanners,
    settings: { history: 'full' },
  });
  api = await startApi(world);
  await startWorkers(world);
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  ({ integrationId } = await addIntegration(world, { token }));
  await awaitUntil(async () => (await idle()) && (await succeeded()) >= 1, { what: 'the first scans' });
  const [repository] = await world.db.query<{ full_path: string }>('select full_path from repository');
  path = repository?.full_path ?? '';
}, 120_000);
afterAll(() => world.close());

async function succeeded(): Promise<number> {
  const [row] = await world.db.query<{ count: number }>(
    `select count(*)::int as count from scan where status = 'succeeded'`,
  );
  return row?.count ?? 0;
}

async function idle(): Promise<boolean> {
  return (await world.db.query(`select 1 from scan where status in ('queued', 'running')`)).length === 0;
}

const findingIn = async (file: string) =>
  (await world.db.query('select 1 from finding where path = $1', [file])).length > 0;

/** A value that the rules find, and that no file of ours contains. */
const keyOf = (number: number) =>
  ['gh', 'p_', Buffer.from(`${number}hook to finding, in seconds`).toString('hex').slice(0, 36)].join('');

test('a push is found within seconds of its webhook, without a sync', async () => {
  const { body: hook } = await api.call(`POST integrations/${integrationId}/hook-token`);
  world.simulator.control.addWebhook({ url: hook.url, token: hook.value });
  const durationsMs: number[] = [];
  for (let number = 0; number < PUSHES; number += 1) {
    const file = `deploy-${number}.env`;
    await world.simulator.control.pushCommit({
      project: path,
      files: { [file]: `GITHUB_TOKEN=${keyOf(number)}\n` },
    });
    const startedMs = performance.now();
    await awaitUntil(() => findingIn(file), { what: `the finding in ${file}`, timeoutMs: 30_000 });
    durationsMs.push(performance.now() - startedMs);
    await awaitUntil(idle);
  }
  const [last] = await world.db.query(
    'select trigger, history, outcome from scan order by queued_at desc limit 1',
  );
  expect(last).toEqual({ trigger: 'hook', history: 'since', outcome: 'findings' });
  const { body } = await api.call(`GET integrations/${integrationId}`);
  expect(body.hooks.state).toBe('receiving');
  expect(await world.db.query('select 1 from sync_run')).toHaveLength(1);
  if (PUSHES > 1)
    process.stderr.write(
      `${durationsMs
        .map(Math.round)
        .sort((a, b) => a - b)
        .join(' ')} ms\n`,
    );
}, 300_000);
