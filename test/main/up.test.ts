import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { freePort } from '../../src/embedded/home.ts';
import { startThrowawayTemporal } from '../../src/embedded/temporal-server.ts';
import { awaitUntil } from '../support/await-until.ts';
import { createTestDatabase } from '../support/database.ts';
import { toolPath } from '../support/tools.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

test('secu up uses a database and a Temporal server that are given, and starts none of its own', async () => {
  const db = await createTestDatabase({ empty: true });
  // its workers poll queues without a prefix: beside other suites they need a server of their own
  const temporal = await startThrowawayTemporal({
    folder: await mkdtemp(join(tmpdir(), 'secu-up-temporal-')),
    path: await toolPath('temporal'),
  });
  const home = await mkdtemp(join(tmpdir(), 'secu-up-'));
  const port = await freePort();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/main/cli.ts', 'up'], {
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
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  try {
    await awaitUntil(
      async () => {
        if (child.exitCode !== null) throw new Error(output);
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
        return ((await answer?.json()) as { status?: string } | undefined)?.status === 'ready';
      },
      { timeoutMs: 45_000, what: 'secu up ready' },
    );
    const started = (await readdir(join(home, 'run'))).filter((name) =>
      /^(postgres|temporal)\.json$/.test(name),
    );
    expect(started).toEqual([]);
    expect(await db.query('select 1 as one from integration')).toEqual([]);
  } finally {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(home, { recursive: true, force: true });
    await temporal.stop();
    await db.drop();
  }
});
