import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { Secu } from '../../harness/secu.ts';
import { prepareSecu } from '../../harness/secu.ts';
import type { Simulator } from '../../simulator/index.ts';
import { createSimulator, fleetRecipes } from '../../simulator/index.ts';
import { awaitSettled, look } from './support/story.ts';

let simulator: Simulator;
let folder: string;
let secu: Secu;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-long-outage-'));
  simulator = await createSimulator({ folder, recipes: fleetRecipes(3) });
  const env = {
    SECU_GITLAB_ORIGINS: simulator.url,
    SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
    SECU_DISK_RESERVE: '1MiB',
  };
  secu = await prepareSecu({ env });
  await secu.start();
});

afterAll(async () => {
  await secu?.remove();
  await simulator?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

async function connect() {
  const { id: userId } = simulator.control.createUser({ name: 'Secu scanner' });
  const { token } = simulator.control.createToken({ userId, scopes: ['read_api', 'read_repository'] });
  return secu.call('POST', '/integrations', {
    provider: 'gitlab',
    type: 'git',
    baseUrl: simulator.url,
    token,
  });
}

const OUTAGE_MS = 60_000;
const NOTICED_WITHIN_MS = 30_000;

test('with GitLab down for a minute, an integration is created as pending and becomes active within 30 s of recovery', async () => {
  await simulator.control.down();
  const created = await connect();
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({
    status: 'pending',
    reachability: { state: 'unreachable', cause: 'gitlab_unreachable' },
  });
  // wait for the end of the outage
  await delay(OUTAGE_MS);
  await simulator.control.up();
  await awaitUntil(async () => (await look(secu, created.body.id))?.status === 'active', {
    timeoutMs: NOTICED_WITHIN_MS,
    what: 'active again',
  });
  await awaitSettled(secu, created.body.id);
});

test('with Temporal hanging, an integration is created as pending and becomes active after recovery', async () => {
  secu.signal('temporal', 'SIGSTOP');
  const created = await connect();
  expect(created.status).toBe(201);
  expect(created.body.status).toBe('pending');
  const ready = await fetch(`${secu.url}/readyz`);
  expect(await ready.json()).toMatchObject({ status: 'degraded' });
  const removed = await connect();
  expect((await secu.call('DELETE', `/integrations/${removed.body.id}`)).status).toBe(204);
  expect((await secu.call('GET', `/integrations/${removed.body.id}`)).status).toBe(404);
  secu.signal('temporal', 'SIGCONT');
  await awaitSettled(secu, created.body.id);
});
