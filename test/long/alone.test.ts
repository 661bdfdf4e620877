import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { freePort } from '../../src/embedded/home.ts';
import { TEMPORAL_NAMESPACE } from '../../src/embedded/temporal-server.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { testServerAddress } from '../support/server-addresses.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let db: TestDatabase;
let port: number;

beforeAll(async () => {
  db = await createTestDatabase({ empty: true });
  port = await freePort();
});

afterAll(async () => {
  await db?.drop();
});

function secu(...args: string[]) {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/main/cli.ts', ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      // this folder cannot be created, as in a container with a read-only root
      SECU_HOME: '/proc/secu-home',
      SECU_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
      SECU_PORT: String(port),
      DATABASE_URL: db.url,
      TEMPORAL_ADDRESS: testServerAddress('temporalAddress'),
      TEMPORAL_NAMESPACE,
      SECU_BOOTSTRAP_API_KEY: 'a key of at least thirty-two characters'.replaceAll(' ', '-'),
    },
    stdio: 'ignore',
  });
}

async function readiness() {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: response.status, body: await response.json() };
  } catch {
    return null; // the API does not listen yet
  }
}

test('an API without migrations and without a writable home is alive, and becomes ready after the migrations', async () => {
  const api = secu('api');
  try {
    const before = await awaitUntil(readiness, { timeoutMs: 30_000, what: 'the API listens' });
    expect(before).toMatchObject({
      status: 503,
      body: { status: 'unready', checks: { migrations: 'failed' } },
    });
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/integrations`)).status).toBe(503);

    const [code] = await once(secu('migrate'), 'exit');
    expect(code).toBe(0);
    await awaitUntil(async () => (await readiness())?.status === 200, {
      timeoutMs: 30_000,
      what: 'ready after the migrations',
    });
    const key = 'a key of at least thirty-two characters'.replaceAll(' ', '-');
    const listed = await fetch(`http://127.0.0.1:${port}/api/v1/integrations`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    expect(listed.status).toBe(200);
  } finally {
    api.kill('SIGTERM');
    await once(api, 'exit');
  }
});
