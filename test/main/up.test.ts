import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { toolPath } from '../../harness/tools.ts';
import { freePort } from '../../src/embedded/home.ts';
import { startThrowawayTemporal } from '../../src/embedded/temporal-server.ts';
import { isAlive } from '../embedded/support.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The processes of `secu up` with an external PostgreSQL and Temporal. */
const CHILDREN = ['api.json', 'orchestration-worker.json', 'scan-worker.json'];

let temporal: Awaited<ReturnType<typeof startThrowawayTemporal>>;
let db: TestDatabase;
let home: string;
let port: number;
let child: ChildProcess;
let output: string;

beforeAll(async () => {
  // its workers poll queues without a prefix, so they need their own Temporal server
  temporal = await startThrowawayTemporal({
    folder: await mkdtemp(join(tmpdir(), 'secu-up-temporal-')),
    path: await toolPath('temporal'),
  });
});
afterAll(() => temporal.stop());
beforeEach(async () => {
  db = await createTestDatabase({ empty: true });
  home = await mkdtemp(join(tmpdir(), 'secu-up-'));
  port = await freePort();
  output = '';
  child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/main/cli.ts', 'up'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      SECU_HOME: home,
      SECU_PORT: String(port),
      DATABASE_URL: db.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += String(text)));
});
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await rm(home, { recursive: true, force: true });
  await db.drop();
});

const records = () => (existsSync(join(home, 'run')) ? readdirSync(join(home, 'run')) : []);

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await awaitUntil(
    () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${output}`);
      return condition();
    },
    { timeoutMs: 45_000, what },
  );
}

async function isReady(): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null); // not listening yet
  return ((await answer?.json()) as { status?: string } | undefined)?.status === 'ready';
}

test('secu up uses a configured database and Temporal server, and starts none of its own', async () => {
  await until(isReady, 'secu up ready');
  expect(records().filter((name) => /^(postgres|temporal)\.json$/.test(name))).toEqual([]);
  expect(await db.query('select 1 as one from integration')).toEqual([]);
});

test('after a stop signal during the start, secu up exits last', async () => {
  await until(() => CHILDREN.every((name) => records().includes(name)), 'its children started');
  const pids = CHILDREN.map(
    (name) => (JSON.parse(readFileSync(join(home, 'run', name), 'utf8')) as { pid: number }).pid,
  );
  expect(output).not.toContain('Secu is running at');
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(pids.filter(isAlive)).toEqual([]);
  expect(code).toBe(0);
});
