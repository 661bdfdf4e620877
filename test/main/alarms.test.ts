import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { addIsolationGauge } from '../../src/metrics/isolation.ts';
import { ensureReconcileSchedule } from '../../src/temporal/starters.ts';
import { reconcileWorkflowId } from '../../src/workflows/contract.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const PAGE = readFileSync(new URL('../../docs/how-to/watch-and-alarm.md', import.meta.url), 'utf8');
/** Names that Prometheus itself adds, and suffixes of a histogram's series. */
const SERIES = /_(bucket|sum|count)$/;

let world: TestWorld;
let text: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
  const registry = new Registry();
  addIsolationGauge(registry, { level: 'uid', reachable: ['network'] });
  await startWorkers(world, { registry });
  const api = await startApi(world);
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const { body } = await api.call('POST integrations', { json: { provider: 'gitlab', type: 'git', token } });
  await awaitUntil(async () => (await api.call(`GET integrations/${body.id}`)).body.counts.scanned === 1);
  const { client } = world.temporal;
  await ensureReconcileSchedule({ client, queuePrefix: world.queuePrefix });
  await awaitUntil(async () => {
    const counted = await registry.metrics();
    return (
      counted.includes('activity="scanRepository",outcome="done"') &&
      /secu_reconcile_runs_total [1-9]/.test(counted)
    );
  });
  await client.schedule.getHandle(reconcileWorkflowId(world.queuePrefix)).delete();
  const { workerReports } = world.database.stores;
  await workerReports.put({ id: 'worker:all@test:1', queues: [], metrics: await registry.metrics() });
  ({ text } = await api.call('GET /metrics', { as: 'metrics' }));
});

afterAll(async () => {
  await world.close();
});

/** Expressions of the tables of alarms. */
function expressions(): string[] {
  return PAGE.split('\n')
    .filter((line) => /^\| [^|]+ \| `/.test(line))
    .map((line) => (/^\| [^|]+ \| `((?:[^`\\]|\\.)*)`/.exec(line)?.[1] ?? '').replaceAll('\\|', '|'));
}

/** Label values in quotes of what an expression selects: `metric`, and its labels. */
function selectorsOf(expression: string): { name: string; labels: Map<string, string> }[] {
  return [...expression.matchAll(/\b(secu_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', inner = '']) => ({
    name,
    labels: new Map(
      [...inner.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)].map(([, label = '', operator = '', value = '']) => [
        label,
        `${operator}${value}`,
      ]),
    ),
  }));
}

test('every Secu metric on the page is served', () => {
  const served = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const named = new Set(
    [...PAGE.matchAll(/\bsecu_[a-z0-9_]*[a-z0-9]\b/g)].map(([name]) => name.replace(SERIES, '')),
  );
  expect(named.size).toBeGreaterThan(18);
  expect([...named].filter((name) => !served.has(name))).toEqual([]);
});

test('every label that an alarm selects exists on the metric, with that value if values are fixed', () => {
  const all = expressions();
  expect(all.length).toBeGreaterThan(20);
  const samples = text.split('\n').filter((line) => line.startsWith('secu_'));
  for (const { name, labels } of all.flatMap(selectorsOf)) {
    const own = samples.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    expect([name, own.length > 0]).toEqual([name, true]);
    for (const label of labels.keys()) {
      expect([name, label, own.some((line) => line.includes(`${label}="`))]).toEqual([name, label, true]);
    }
    const status = labels.get('status') ?? '';
    if (name === 'secu_integration_status')
      expect(own.some((line) => line.includes(`status="${status.slice(1)}"`))).toBe(true);
  }
});

test('a finished scan is counted with its durations, without its repository', async () => {
  expect(text).toMatch(
    /secu_scans_ended_total\{worker="worker:all@test:1",status="succeeded",outcome="\w+",cause=""\} 1/,
  );
  for (const name of ['secu_scan_duration_seconds', 'secu_scan_wait_seconds', 'secu_clone_duration_seconds'])
    expect(text).toContain(`${name}_count{worker="worker:all@test:1"} 1`);
  expect(text).toMatch(/secu_scanner_duration_seconds_count\{[^}]*scanner="silent",status="ok"\} 1/);
  expect(text).toMatch(/secu_activities_total\{[^}]*activity="scanRepository",outcome="done"\} 1/);
  const [repository] = await world.db.query<{ id: string; full_path: string }>(
    'select id, full_path from repository',
  );
  expect(text).not.toContain(repository?.id);
  expect(text).not.toContain(repository?.full_path);
});
