import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { Config } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/config.ts';
import { freePort } from '../../src/embedded/home.ts';
import { examineChannels } from '../../src/main/doctor/channels.ts';
import { examineKeys } from '../../src/main/doctor/files.ts';
import { examineInstallation } from '../../src/main/doctor/index.ts';
import { examineMigrations } from '../../src/main/doctor/migrations.ts';
import { examineOrigins } from '../../src/main/doctor/origins.ts';
import { examineSettings } from '../../src/main/doctor/settings.ts';
import { examineWorkflows } from '../../src/main/doctor/workflows.ts';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';
import { ensureReconcileSchedule } from '../../src/temporal/starters.ts';
import { reconcileWorkflowId } from '../../src/workflows/contract.ts';
import { addChannel } from '../support/channels.ts';
import { createTestDatabase } from '../support/database.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let home: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  home = await mkdtemp(join(tmpdir(), 'secu-doctor-main-'));
});

afterAll(async () => {
  await world.close();
  await rm(home, { recursive: true, force: true });
});

const configOf = (env: Record<string, string> = {}): Config =>
  readConfig({ SECU_HOME: home, ...env }, { isRoot: false });

test('every part of an installation has a status, and advice if it is not ok', async () => {
  const parts = await examineInstallation(
    configOf({
      DATABASE_URL: world.databaseUrl,
      TEMPORAL_ADDRESS: world.temporal.address,
      TEMPORAL_NAMESPACE: world.temporal.namespace,
      SECU_GITLAB_ORIGINS: world.simulator.url,
      SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
    }),
  );
  const names = parts.map(({ part }) => part);
  for (const name of [
    'node',
    'git',
    'home',
    'disk',
    'postgresql',
    'temporal server',
    'gitleaks',
    'sandbox',
    'memory file system',
    'key ring',
    'command line key',
    'migrations',
    'workers',
    'reconcile',
    `gitlab ${new URL(world.simulator.url).host}`,
    'clock',
    'settings',
    'channels',
  ])
    expect(names).toContain(name);
  for (const { part, status, advice } of parts) {
    if (status === 'ok') continue;
    expect([part, advice]).toEqual([part, expect.stringMatching(/^.{10,}[.)]$/)]);
  }
  const byName = Object.fromEntries(parts.map((each) => [each.part, each]));
  expect(byName['migrations']).toMatchObject({ status: 'ok' });
  // the queues of this test have a prefix, so the queues of an installation have no worker
  expect(byName['workers']).toMatchObject({
    status: 'failed',
    advice: expect.stringContaining('secu worker'),
  });
  expect(byName['channels']?.status).toBe('warning');
});

describe('channels', () => {
  const look = (mail = true) => examineChannels({ databaseUrl: world.databaseUrl, mail });

  test('are a warning while no channel sends expiry alerts, as in the overview', async () => {
    expect(await look()).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('no channel sends'),
    });
    const channelId = await addChannel(world, { kind: 'email', to: 'team@example.com' });
    expect(await look()).toMatchObject({ status: 'ok' });
    expect(await look(false)).toMatchObject({ status: 'warning' });
    await world.database.stores.channels.remove(channelId);
  });

  test('are unknown if the database does not respond or is older, and ok if it is not running', async () => {
    const unavailable = { databaseUrl: 'postgresql://secu:x@127.0.0.1:1/secu', mail: true };
    expect(await examineChannels(unavailable)).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('unknown'),
    });
    const empty = await createTestDatabase({ empty: true });
    world.onClose(() => empty.drop());
    expect(await examineChannels({ databaseUrl: empty.url, mail: true })).toMatchObject({
      status: 'warning',
    });
    expect(await examineChannels({ databaseUrl: null, mail: true })).toMatchObject({ status: 'ok' });
  });
});

describe('the schema', () => {
  test('that is older or newer is a failure with advice', async () => {
    const empty = await createTestDatabase({ empty: true });
    world.onClose(() => empty.drop());
    expect(await examineMigrations(empty.url)).toMatchObject({
      status: 'failed',
      advice: 'Run "secu migrate".',
    });
    const newer = await createTestDatabase();
    world.onClose(() => newer.drop());
    await newer.query(`insert into secu_migration (name, executed_at) values ('Migration9999', now())`);
    expect(await examineMigrations(newer.url)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('Migration9999'),
    });
  });

  test('of an unreachable database is unknown, and of one that is not running yet is ok', async () => {
    expect(await examineMigrations('postgresql://secu:x@127.0.0.1:1/secu')).toMatchObject({
      status: 'warning',
    });
    expect(await examineMigrations(null)).toMatchObject({ status: 'ok' });
  });
});

test('a key file that other users can read is a failure', async () => {
  await mkdir(join(home, 'keys'), { recursive: true });
  const ring = join(home, 'keys', 'ring');
  const statusOf = () => examineKeys(configOf()).find(({ part }) => part === 'key ring');
  expect(statusOf()).toMatchObject({ status: 'ok', detail: 'created at the first start' });
  await writeFile(ring, 'x', { mode: 0o600 });
  expect(statusOf()).toMatchObject({ status: 'ok', detail: 'mode 0600' });
  await chmod(ring, 0o640);
  expect(statusOf()).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining('0640'),
    advice: expect.stringContaining(`chmod 600 ${ring}`),
  });
});

describe('workers and reconcile', () => {
  const address = () => ({ address: world.temporal.address, namespace: world.temporal.namespace });
  const look = async () => {
    const parts = await examineWorkflows(address(), { queuePrefix: world.queuePrefix });
    return Object.fromEntries(parts.map((each) => [each.part, each]));
  };

  test('are failures if they are missing, ok if they run, and a paused schedule is a warning', async () => {
    expect(await look()).toMatchObject({
      workers: { status: 'failed', detail: expect.stringContaining('orchestration, gitlab, scan') },
      reconcile: { status: 'failed', detail: 'there is no schedule' },
    });
    await startWorkers(world);
    await ensureReconcileSchedule({ client: world.temporal.client, queuePrefix: world.queuePrefix });
    await awaitUntil(async () => (await look())['workers']?.status === 'ok');
    expect(await look()).toMatchObject({ workers: { status: 'ok' }, reconcile: { status: 'ok' } });
    const schedule = world.temporal.client.schedule.getHandle(reconcileWorkflowId(world.queuePrefix));
    await schedule.pause();
    expect(await look()).toMatchObject({
      reconcile: { status: 'warning', advice: expect.stringContaining('--unpause') },
    });
    await schedule.delete();
  });

  test('are unknown if Temporal does not respond', async () => {
    const parts = await examineWorkflows({ address: '127.0.0.1:1', namespace: 'secu' });
    expect(parts.map(({ status }) => status)).toEqual(['warning', 'warning']);
  });
});

describe('GitLab', () => {
  const look = async (origin: string, now = () => new Date(), allowed = ['127.0.0.0/8']) => {
    const policy = createOutboundPolicy({ origins: [origin], allowedNetworks: allowed, ownListeners: [] });
    try {
      const [gitlab, clock] = await examineOrigins({ origins: [origin], policy, now });
      return { gitlab, clock };
    } finally {
      await policy.close();
    }
  };

  /** A server other than GitLab that responds with this status and date. */
  async function pretender(headers: Record<string, string>, status = 200): Promise<string> {
    const server = createServer((_request, response) => response.writeHead(status, headers).end('<html>'));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    world.onClose(() => new Promise((resolve) => server.close(() => resolve())));
    return `http://127.0.0.1:${port}`;
  }

  test('that responds without a token is ok, and its clock is compared', async () => {
    const { gitlab, clock } = await look(world.simulator.url);
    expect(gitlab).toMatchObject({ status: 'ok', detail: 'responds like GitLab' });
    expect(clock).toMatchObject({ status: 'ok', detail: 'agrees with GitLab' });
  });

  test.each([
    [300_000, 'ahead of GitLab'],
    [-300_000, 'behind GitLab'],
  ])('a clock that is %i ms off is reported', async (offMs, words) => {
    const origin = await pretender(
      { Date: new Date().toUTCString(), 'Content-Type': 'application/json' },
      401,
    );
    const { gitlab, clock } = await look(origin, () => new Date(Date.now() + offMs));
    expect(gitlab?.status).toBe('ok');
    expect(clock).toMatchObject({ status: 'warning', detail: expect.stringContaining(words) });
  });

  test('is distinguished from another server, an unreachable one and a forbidden address', async () => {
    const page = await pretender({ 'Content-Type': 'text/html' });
    expect((await look(page)).gitlab).toMatchObject({
      status: 'warning',
      detail: 'responds with 200, not like GitLab',
    });
    const unreachable = await look(`http://127.0.0.1:${await freePort()}`);
    expect(unreachable.gitlab).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('refused'),
    });
    expect(unreachable.clock).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('not compared'),
    });
    const forbidden = await look(page, undefined, []);
    expect(forbidden.gitlab).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('may not be connected to'),
    });
  });
});

describe('settings', () => {
  const look = (env: Record<string, string>) => examineSettings(configOf(env));

  test('of the default are ok', () => {
    expect(look({})).toMatchObject({ status: 'ok', advice: null });
  });

  test.each([
    [{ SECU_PUBLIC_URL: 'http://secu.example.com', SECU_INSECURE_HTTP: '1' }, 'SECU_PUBLIC_URL'],
    [{ SECU_GITLAB_ORIGINS: 'http://gitlab.example.com' }, 'SECU_GITLAB_ORIGINS'],
    [{ DATABASE_URL: 'postgresql://secu@db.example.com/secu' }, 'sslmode=verify-full'],
    [{ TEMPORAL_ADDRESS: 'temporal.example.com:7233' }, 'TEMPORAL_TLS'],
    [{ SECU_VERIFY_INTERVAL: '0' }, 'SECU_VERIFY_INTERVAL'],
    [{ SECU_GITLAB_ORIGIN: 'https://gitlab.example.com' }, 'settings.md'],
  ])('%j is a warning with advice', (env, named) => {
    expect(look(env)).toMatchObject({ status: 'warning', advice: expect.stringContaining(named) });
  });

  test.each([
    { DATABASE_URL: 'postgresql://secu@db.example.com/secu?sslmode=verify-full' },
    { DATABASE_URL: 'postgresql://secu@127.0.0.1/secu' },
    { TEMPORAL_ADDRESS: 'temporal.example.com:7233', TEMPORAL_TLS: 'true' },
    { SECU_GITLAB_ORIGINS: 'http://127.0.0.1:9000' },
  ])('%j is no warning', (env) => {
    expect(look(env).status).toBe('ok');
  });

  test('several warnings are shown together, without secrets of URLs', () => {
    const password = ['pass', 'word', '7'].join('');
    const { detail, advice } = look({
      DATABASE_URL: `postgresql://secu:${password}@db.example.com/secu`,
      SECU_VERIFY_INTERVAL: '0',
    });
    expect(detail).toContain('PostgreSQL');
    expect(detail).toContain('verified');
    expect(`${detail} ${advice}`).not.toContain(password);
  });
});
