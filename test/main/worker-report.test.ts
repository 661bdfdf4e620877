import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { toolPath } from '../../harness/tools.ts';
import { startThrowawayTemporal, TEMPORAL_NAMESPACE } from '../../src/embedded/temporal-server.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(new URL('../../docs/how-to/watch-and-alarm.md', import.meta.url), 'utf8');

let world: TestWorld;
let home: string;
let worker: ChildProcess;
let output = '';

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  home = await mkdtemp(join(tmpdir(), 'secu-worker-report-'));
  world.onClose(() => rm(home, { recursive: true, force: true }));
  // its own server: this worker polls queues without a prefix, which suites cannot share
  const temporal = await startThrowawayTemporal({
    folder: join(home, 'temporal'),
    path: await toolPath('temporal'),
  });
  world.onClose(() => temporal.stop());
  worker = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      'src/main/cli.ts',
      'worker',
      '--queues',
      'orchestration,gitlab,scan',
    ],
    {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        SECU_HOME: home,
        SECU_KEYS: world.keyRing.trim(),
        SECU_GITLEAKS_PATH: await toolPath('gitleaks'),
        DATABASE_URL: world.databaseUrl,
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  for (const stream of [worker.stdout, worker.stderr])
    stream?.on('data', (chunk: unknown) => (output += String(chunk)));
  world.onClose(async () => {
    if (worker.exitCode !== null) return;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  });
});

afterAll(async () => {
  await world.close();
});

test('a worker reports its own metrics and those of Temporal’s SDK, and removes its report when it stops', async () => {
  const api = await startApi(world);
  const text = await awaitUntil(
    async () => {
      if (worker.exitCode !== null) throw new Error(`the worker ended:\n${output}`);
      const scraped = (await api.call('GET /metrics', { as: 'metrics' })).text;
      return scraped.includes('temporal_workflow_task_schedule_to_start_latency_seconds_count{')
        ? scraped
        : null;
    },
    { timeoutMs: 50_000, what: 'a report with metrics of the SDK' },
  );
  const id = /worker="(worker:[^"]+)"/.exec(text)?.[1] ?? '';
  expect(id).toMatch(new RegExp(`^worker:orchestration\\+gitlab\\+scan@.+:${worker.pid}:[0-9a-f]{6}$`));
  for (const queue of ['orchestration', 'gitlab', 'scan']) {
    expect(text).toContain(`secu_workers{queue="${queue}"} 1`);
    expect(text).toContain(
      `temporal_worker_task_slots_available{worker="${id}",namespace="${TEMPORAL_NAMESPACE}",task_queue="${queue}",worker_type="ActivityWorker"}`,
    );
  }
  expect(text).toContain(`process_resident_memory_bytes{worker="${id}"}`);

  const served = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const named = [...PAGE.matchAll(/\btemporal_[a-z0-9_]*[a-z0-9]\b/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
  expect(named.length).toBeGreaterThan(1);
  expect(named.filter((name) => !served.includes(name))).toEqual([]);

  worker.kill('SIGTERM');
  await once(worker, 'exit');
  expect(await world.db.query('select id from worker_report')).toEqual([]);
}, 90_000);
