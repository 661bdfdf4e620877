import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { ScanDeps } from '../../src/activities/deps.ts';
import { verifySoonAfterOutage } from '../../src/activities/token/suspect.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { GitRemote, RemoteErrorCode } from '../../src/domain/ports.ts';
import type { ScanTask } from '../../src/domain/scan.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld, TEST_SETTINGS } from '../support/world.ts';
import { finding, instantGit, openScan, queuedScan, refusingGit, reporting } from './scan-support.ts';
import { activitiesOf, kindsOf, rowOf, run } from './support.ts';

let world: TestWorld;
let task: ScanTask;
let tokenId: number;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  world.simulator.control.faults.clear();
  world.simulator.control.requests.reset();
  task = await queuedScan(world, await activitiesOf(world));
  const credential = await world.database.stores.credentials.current(task.integrationId);
  tokenId = credential?.gitlabTokenId ?? 0;
  world.simulator.control.requests.reset();
});

async function scan(own: Partial<ScanDeps> = {}) {
  const activities = await activitiesOf(world, {
    git: instantGit(),
    scanners: reporting(() => ({ findings: [finding()] })),
    ...own,
  });
  const result = await run(activities, 'scanRepository', task);
  return { result, activities };
}

const WAITS = { status: 'requeued', outcome: null, findings: 0 };
const row = () => rowOf(world, 'scan', task.scanId);
const integration = () => rowOf(world, 'integration', task.integrationId);
const selfAsked = () => world.simulator.control.requests.count('GET /api/v4/personal_access_tokens/self');

test('with little disk space nothing is cloned, and the scan waits with that cause', async () => {
  const { result } = await scan({
    settings: { ...world.settings, diskReserveBytes: Number.MAX_SAFE_INTEGER },
    git: refusingGit('clone_failed'),
  });
  expect(result).toMatchObject({ ...WAITS, cause: 'disk_low' });
  expect(await row()).toMatchObject({ status: 'queued', cause: 'disk_low', phase: null });
});

test('a disk that fills up during a clone is not a failure of the repository', async () => {
  const git = instantGit(async () => {
    throw new SecuError('clone_failed', 'git could not read the repository', {
      details: { problem: 'no_space' },
    });
  });
  const { result } = await scan({ git });
  expect(result).toMatchObject({ ...WAITS, cause: 'disk_low' });
  expect(await row()).toMatchObject({ status: 'queued', cause: 'disk_low' });
});

test.each<[string, () => Promise<void>]>([
  ['paused', () => change({ paused: true })],
  ['suspected', () => change({ suspectedAt: new Date() })],
  ['invalid', () => change({ verdict: 'invalid', cause: 'token_revoked' })],
  ['unreachable', () => change({ reachability: 'unreachable', reachabilityCause: 'gitlab_unreachable' })],
])('while its integration is %s a scan waits and no clone starts', async (_state, spoil) => {
  await spoil();
  const { result, activities } = await scan({ git: refusingGit('clone_failed') });
  expect(result).toMatchObject(WAITS);
  expect(await row()).toMatchObject({ status: 'queued' });
  expect(
    await activities.takeQueuedScans({
      integrationId: task.integrationId,
      exclude: [],
      verified: false,
      nowMs: Date.now(),
    }),
  ).toMatchObject({ scans: [] });
});

async function change(
  change: Parameters<TestWorld['database']['stores']['integrations']['change']>[1],
): Promise<void> {
  await world.database.stores.integrations.change(task.integrationId, change, new Date());
}

test('a 401 of git with a dead token makes the integration suspected, and the scan waits', async () => {
  world.simulator.control.revokeToken(tokenId);
  const { result, activities } = await scan({ git: refusingGit('token_rejected') });
  expect(result).toMatchObject(WAITS);
  expect(selfAsked()).toBe(1);
  expect(await integration()).toMatchObject({ verdict: 'active', suspected_at: expect.any(Date) });
  expect(activities.starters.wakes).toContain(`integration ${task.integrationId}`);

  // the next scans do not use that token again: GitLab bans addresses for that
  let clones = 0;
  const counting: GitRemote = instantGit(async () => {
    clones += 1;
  });
  await scan({ git: counting });
  expect(clones).toBe(0);

  // the 401 was the first refusal; the verification is the second one
  await run(activities, 'verifyToken', {
    integrationId: task.integrationId,
    commandId: null,
    nowMs: Date.now(),
  });
  expect(await integration()).toMatchObject({ verdict: 'invalid', cause: 'token_revoked' });
});

test('a 401 of git with a valid token means that a bot may not see this repository', async () => {
  const { result } = await scan({ git: refusingGit('token_rejected') });
  expect(result).toMatchObject({ status: 'failed', cause: 'repository_forbidden' });
  expect(selfAsked()).toBe(1);
  expect(await integration()).toMatchObject({ verdict: 'active', suspected_at: null });
});

test.each<[RemoteErrorCode, string]>([
  ['gitlab_unreachable', 'gateway_failed'],
  ['gitlab_tls_failed', 'gateway_failed'],
  ['gitlab_redirected', 'repository_redirected'],
  ['gitlab_rate_limited', 'gateway_failed'],
])(
  'an outage (%s) fails no scan at once: it waits with its cause, and the integration is verified now',
  async (code, cause) => {
    const { result, activities } = await scan({ git: refusingGit(code) });
    expect(result).toMatchObject(WAITS);
    expect(await row()).toMatchObject({
      status: 'queued',
      cause,
      requeues: 1,
      next_try_at: expect.any(Date),
    });
    const { next_verify_at: nextVerifyAt } = await integration();
    expect(Number(nextVerifyAt)).toBeLessThanOrEqual(Date.now());
    expect(activities.starters.wakes).toContain(`integration ${task.integrationId}`);
    expect((await kindsOf(world, task.integrationId)).filter((kind) => kind.startsWith('scan.'))).toEqual([]);
  },
);

test('a 401 of git while the API does not answer is an outage, not a verdict', async () => {
  await world.simulator.control.down();
  const { result } = await scan({ git: refusingGit('token_rejected') });
  await world.simulator.control.up();
  expect(result).toMatchObject(WAITS);
  expect(await integration()).toMatchObject({ suspected_at: null });
});

test('the scan of an integration that was removed meanwhile writes nothing', async () => {
  const { result } = await scan({
    git: instantGit(async () => {
      await world.database.stores.integrations.remove({ id: task.integrationId, now: new Date() });
      await world.database.stores.integrations.deleteRemoved(task.integrationId);
    }),
  });
  expect(result.status).toBe('canceled');
  expect(await world.db.query('select 1 from finding')).toEqual([]);
});

test('scans are taken by priority, in pages, without the excluded ones', async () => {
  const activities = await activitiesOf(world);
  const take = (exclude: string[]) =>
    activities.takeQueuedScans({
      integrationId: task.integrationId,
      exclude,
      verified: false,
      nowMs: Date.now(),
    });
  expect(await take([])).toEqual({
    window: 12,
    perRun: 800,
    stale: false,
    nextTryMs: null,
    scans: [{ scanId: task.scanId, repositoryId: task.repositoryId, background: false }],
  });
  expect(await take([task.scanId])).toEqual({
    window: 12,
    perRun: 800,
    stale: false,
    nextTryMs: null,
    scans: [],
  });
  expect(await openScan(world, task.repositoryId)).toBe(task.scanId);
});

test('a page of clones starts only with a recently verified token', async () => {
  const activities = await activitiesOf(world);
  const { integrationId } = task;
  const take = (verified: boolean, nowMs = Date.now()) =>
    activities.takeQueuedScans({ integrationId, exclude: [], verified, nowMs });
  const later = Date.now() + 16 * 60_000;
  expect(await take(false, later)).toEqual({
    window: 12,
    perRun: 800,
    stale: true,
    nextTryMs: null,
    scans: [],
  });
  expect((await take(true, later)).scans).toHaveLength(1);
  await change({ lastVerifiedAt: new Date(later) });
  expect(await take(false, later)).toMatchObject({ stale: false, scans: [{ scanId: task.scanId }] });
});

test('a scan that its activity could not end is ended once, with the nearest cause', async () => {
  const activities = await activitiesOf(world);
  const nowMs = Date.now();
  await activities.endScan({ scanId: task.scanId, status: 'failed', cause: 'gitlab_unreachable', nowMs });
  expect(await row()).toMatchObject({
    status: 'failed',
    cause: 'clone_failed',
    finished_at: new Date(nowMs),
  });
  await activities.endScan({ scanId: task.scanId, status: 'canceled', cause: 'canceled', nowMs: nowMs + 1 });
  expect(await row()).toMatchObject({ status: 'failed', cause: 'clone_failed' });
  expect((await kindsOf(world, task.integrationId)).filter((kind) => kind === 'scan.failed')).toHaveLength(1);
});

test('a repository whose gateway always fails is tried a limited number of times, with growing delays, then fails', async () => {
  const pausesMs: number[] = [];
  for (let requeues = 1; requeues <= 5; requeues += 1) {
    const startedMs = Date.now();
    const { result } = await scan({ git: refusingGit('gitlab_unreachable') });
    expect(result).toMatchObject({ ...WAITS, cause: 'gateway_failed' });
    const waiting = await row();
    expect(waiting).toMatchObject({ status: 'queued', requeues });
    pausesMs.push(Number(waiting['next_try_at']) - startedMs);
  }
  expect(pausesMs).toEqual(pausesMs.toSorted((one, other) => one - other));
  expect(pausesMs[0]).toBeGreaterThanOrEqual(30_000);
  expect(pausesMs.at(-1)).toBeLessThanOrEqual(31 * 60_000);
  const { result } = await scan({ git: refusingGit('gitlab_unreachable') });
  expect(result).toMatchObject({ status: 'failed', cause: 'gateway_failed' });
  expect(await row()).toMatchObject({ status: 'failed', cause: 'gateway_failed', phase: null });
  expect(await kindsOf(world, task.integrationId)).toContain('scan.failed');
});

test('failing scans cause at most six verifications of their integration per hour', async () => {
  const { deps } = await activitiesOf(world);
  const { integrationId } = task;
  const prompted = async (now: Date): Promise<boolean> => {
    await change({ nextVerifyAt: null });
    await verifySoonAfterOutage({ deps, integrationId, now });
    return (await integration())['next_verify_at'] !== null;
  };
  const startMs = Date.now();
  const results: boolean[] = [];
  for (let minute = 0; minute < 10; minute += 1)
    results.push(await prompted(new Date(startMs + minute * 60_000)));
  expect(results.filter(Boolean)).toHaveLength(6);
  expect(await prompted(new Date(startMs + 61 * 60_000))).toBe(true);
});

test('in quiet hours only scans that a person requested are taken; the others wait for the end', async () => {
  const quietHours = { fromMinute: 22 * 60, toMinute: 6 * 60 };
  const quiet = await activitiesOf(world, { settings: { ...TEST_SETTINGS, quietHours } });
  const night = Date.parse('2026-12-01T23:00:00Z');
  const take = (nowMs: number) =>
    quiet.takeQueuedScans({ integrationId: task.integrationId, exclude: [], verified: true, nowMs });
  await world.db.query(`update scan set priority = 3, trigger = 'sync' where id = $1`, [task.scanId]);
  expect(await take(night)).toMatchObject({ scans: [], nextTryMs: Date.parse('2026-12-02T06:00:00Z') });
  expect((await take(Date.parse('2026-12-02T06:00:00Z'))).scans).toHaveLength(1);
  await openScan(world, task.repositoryId);
  expect((await take(night)).scans).toHaveLength(1);
});
