import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { ScanDeps } from '../../src/activities/deps.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { RemoteErrorCode } from '../../src/domain/ports.ts';
import type { ScanTask } from '../../src/domain/scan.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import {
  COMMIT,
  finding,
  instantGit,
  openScan,
  queuedScan,
  refusingGit,
  reporting,
  scannerRun,
} from './scan-support.ts';
import type { Activities } from './support.ts';
import { activitiesOf, eventsOf, kindsOf, rowOf, run } from './support.ts';

let world: TestWorld;
let task: ScanTask;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  world.simulator.control.faults.clear();
  task = await queuedScan(world, await activitiesOf(world));
});

const clean = reporting(() => ({}));

async function activitiesWith(own: Partial<ScanDeps>): Promise<Activities> {
  return activitiesOf(world, { git: instantGit(), scanners: clean, ...own });
}

async function scan(own: Partial<ScanDeps> = {}, attempt = 1) {
  const activities = await activitiesWith(own);
  const result = await run(activities, 'scanRepository', task, { info: { attempt } });
  // no scan leaves anything on the disk
  expect(await readdir(activities.deps.workFolder)).toEqual([]);
  return { result, starters: activities.starters };
}

const row = () => rowOf(world, 'scan', task.scanId);
const integration = () => rowOf(world, 'integration', task.integrationId);

test('a scan without findings is clean, and records the cloned commit, the scanned files and the scanners', async () => {
  const { result } = await scan();
  expect(result).toEqual({
    scanId: task.scanId,
    status: 'succeeded',
    outcome: 'clean',
    cause: null,
    findings: 0,
    queuedMore: false,
  });
  expect(await row()).toMatchObject({
    status: 'succeeded',
    outcome: 'clean',
    commit: COMMIT,
    attempt: 1,
    clone_bytes: '21',
    phase: null,
  });
  expect(await rowOf(world, 'repository', task.repositoryId)).toMatchObject({
    last_scan_id: task.scanId,
    head_commit: COMMIT,
    scanned_rules: 'sha256:of-the-test',
  });
  expect(
    await world.db.query('select name, status from scanner_run where scan_id = $1', [task.scanId]),
  ).toEqual([{ name: 'gitleaks', status: 'ok' }]);
});

test('a scan passes the number of concurrent scans of its worker to the scanners', async () => {
  const other = await queuedScan(world, await activitiesOf(world));
  const observed: unknown[] = [];
  const bothAreHere = Promise.withResolvers<void>();
  const quiet = instantGit();
  const activities = await activitiesWith({
    git: {
      ...quiet,
      async clone(input) {
        const clone = await quiet.clone(input);
        if (input.directory.includes(other.scanId)) bothAreHere.resolve();
        await bothAreHere.promise;
        return clone;
      },
    },
    scanners: reporting(({ concurrentScans }) => {
      observed.push(concurrentScans);
      return {};
    }),
  });
  await Promise.all([task, other].map((one) => run(activities, 'scanRepository', one)));
  await run(activities, 'scanRepository', { ...task, scanId: await openScan(world, task.repositoryId) });
  expect(observed[0]).toBe(1);
  expect(observed.at(-1)).toBe(0);
});

test('the first scan publishes one summary; later ones name new, fixed and reopened findings', async () => {
  const again = async (fingerprints: string[]) => {
    await scan({
      scanners: reporting(() => ({ findings: fingerprints.map((fingerprint) => finding({ fingerprint })) })),
    });
    task = { ...task, scanId: await openScan(world, task.repositoryId) };
  };
  await again(['v1:one', 'v1:two']);
  await again(['v1:two', 'v1:three']);
  await again(['v1:one', 'v1:two', 'v1:three']);
  const kinds = (await kindsOf(world, task.integrationId)).filter((kind) => /^(finding|scan)\./.test(kind));
  expect(kinds).toEqual([
    'scan.finished',
    'finding.opened',
    'finding.fixed',
    'scan.finished',
    'finding.reopened',
    'scan.finished',
  ]);
  expect(await rowOf(world, 'repository', task.repositoryId)).toMatchObject({ open_high: 3 });
});

test('a missing scanner makes a scan incomplete, never clean', async () => {
  const { result } = await scan({
    scanners: reporting(() => ({ runs: [scannerRun({ status: 'unavailable', version: null })] })),
  });
  expect(result).toMatchObject({ status: 'succeeded', outcome: 'incomplete' });
});

test('findings of a scanner are fixed when no file for it is left', async () => {
  const runs = (status: 'ok' | 'not_applicable', findings: number) => [
    scannerRun({}),
    scannerRun({ name: 'ast-grep', status, findings }),
  ];
  const flaw = finding({ kind: 'code', scanner: 'ast-grep', ruleId: 'js-eval' });
  const ruleIds = { gitleaks: [], 'ast-grep': ['js-eval'] };
  await scan({ scanners: reporting(() => ({ runs: runs('ok', 1), findings: [flaw] }), ruleIds) });
  task = { ...task, scanId: await openScan(world, task.repositoryId) };
  const { result } = await scan({
    scanners: reporting(() => ({ runs: runs('not_applicable', 0) }), ruleIds),
  });
  expect(result).toMatchObject({ status: 'succeeded', outcome: 'clean' });
  expect(await rowOf(world, 'repository', task.repositoryId)).toMatchObject({ open_high: 0 });
});

describe('a finding that is not reported again stays open', () => {
  const inOneFile = finding({ path: 'a.env', ruleId: 'github-pat' });
  const scanAgain = async (
    report: Parameters<typeof reporting>[0],
    ruleIds?: Parameters<typeof reporting>[1],
  ) => {
    await scan({ scanners: reporting(() => ({ findings: [inOneFile] })) });
    task = { ...task, scanId: await openScan(world, task.repositoryId) };
    return scan({ scanners: reporting(report, ruleIds) });
  };
  const stillOpen = async () =>
    expect(await rowOf(world, 'repository', task.repositoryId)).toMatchObject({ open_high: 1 });

  test('if its file was skipped', async () => {
    const { result } = await scanAgain(() => ({ unread: { unreadPaths: { gitleaks: ['a.env'] } } }));
    expect(result).toMatchObject({ status: 'succeeded', outcome: 'clean' });
    await stillOpen();
  });

  test('if its rule is no longer in force', async () => {
    await scanAgain(() => ({}), { gitleaks: ['generic-api-key'], 'ast-grep': [] });
    await stillOpen();
  });

  test.each(['blob_unread', 'history_unread', 'more_findings'] as const)(
    'if the report has a gap: %s',
    async (gap) => {
      const { result } = await scanAgain(() => ({ unread: { incompleteBecause: [gap] } }));
      expect(result).toMatchObject({ status: 'succeeded', outcome: 'incomplete' });
      await stillOpen();
    },
  );

  test('unless its file was read by the same rule', async () => {
    await scanAgain(() => ({ unread: { unreadPaths: { gitleaks: ['b.env'], 'ast-grep': ['a.env'] } } }));
    expect(await rowOf(world, 'repository', task.repositoryId)).toMatchObject({ open_high: 0 });
  });
});

test('a scan names the covered branch and commit, and the reasons for gaps', async () => {
  await scan({ scanners: reporting(() => ({ unread: { incompleteBecause: ['more_findings'] } })) });
  expect(await rowOf(world, 'scan', task.scanId)).toMatchObject({
    refs: [{ name: 'refs/heads/main', from: null, to: COMMIT }],
    incomplete_because: ['more_findings'],
  });
});

test('a failed scanner fails the scan and leaves findings unchanged', async () => {
  await scan({ scanners: reporting(() => ({ findings: [finding()] })) });
  task = { ...task, scanId: await openScan(world, task.repositoryId) };
  const { result } = await scan({
    scanners: reporting(() => ({ runs: [scannerRun({ status: 'failed', cause: 'scan_timed_out' })] })),
  });
  expect(result).toMatchObject({ status: 'failed', cause: 'scan_timed_out' });
  expect(await rowOf(world, 'repository', task.repositoryId)).toMatchObject({ open_high: 1 });
  expect((await eventsOf(world, task.integrationId)).at(-1)).toMatchObject({
    kind: 'scan.failed',
    data: { cause: 'scan_timed_out' },
  });
});

test('a repository without commits is not a failure, and no scanner runs', async () => {
  const { result } = await scan({
    git: {
      ...instantGit(),
      clone: async ({ history }) => ({
        gitDirectory: '',
        commit: null,
        branch: null,
        tips: [],
        isWhole: false,
        history,
        continues: [],
        bytes: 0,
        ms: 1,
      }),
    },
    scanners: reporting(() => {
      throw new Error('nobody was to scan');
    }),
  });
  expect(result).toMatchObject({ status: 'succeeded', outcome: 'clean' });
});

test('a crashed scanner and a failed clone are retried, and are the cause on the last attempt', async () => {
  const crashing = reporting(() => ({ runs: [scannerRun({ status: 'failed', cause: 'scanner_crashed' })] }));
  await expect(scan({ scanners: crashing }, 1)).rejects.toThrow(SecuError);
  await expect(scan({ git: refusingGit('clone_failed') }, 2)).rejects.toThrow(SecuError);
  expect(await row()).toMatchObject({ status: 'running', attempt: 2 });
  const { result } = await scan({ git: refusingGit('clone_failed') }, 3);
  expect(result).toMatchObject({ status: 'failed', cause: 'clone_failed' });
  expect(await row()).toMatchObject({ status: 'failed', cause: 'clone_failed', attempt: 3 });
});

test.each<[RemoteErrorCode, string]>([
  ['repository_gone', 'repository_gone'],
  ['clone_too_large', 'clone_too_large'],
  ['clone_timed_out', 'clone_timed_out'],
  ['token_scope_missing', 'repository_forbidden'],
  ['sso_session_required', 'repository_forbidden'],
])('%s ends the scan at once with the cause %s', async (code, cause) => {
  const { result } = await scan({ git: refusingGit(code) });
  expect(result).toEqual({ scanId: task.scanId, status: 'failed', outcome: null, cause, findings: 0 });
  expect(await integration()).toMatchObject({ verdict: 'active', suspected_at: null });
});

test('an outdated attempt writes nothing', async () => {
  const late = await scan({
    git: instantGit(async () => {
      await world.database.stores.scans.begin({ id: task.scanId, now: new Date() });
    }),
    scanners: reporting(() => ({ findings: [finding()] })),
  });
  expect(late.result.status).toBe('canceled');
  expect(await row()).toMatchObject({ status: 'running', attempt: 2, outcome: null });
  expect(await world.db.query('select 1 from finding where repository_id = $1', [task.repositoryId])).toEqual(
    [],
  );

  const scanners = reporting(() => ({ findings: [finding()] }));
  const overtakenWhileScanning = await scan({
    scanners: {
      ...scanners,
      async scan(input) {
        await world.database.stores.scans.begin({ id: task.scanId, now: new Date() });
        return scanners.scan(input);
      },
    },
  });
  expect(overtakenWhileScanning.result.status).toBe('canceled');
  expect(await row()).toMatchObject({ status: 'running', attempt: 4 });
});

test('a cancel in its row ends a running scan at the next step as canceled', async () => {
  const { result } = await scan({
    git: instantGit(async () => {
      await world.database.stores.scans.requestCancel({ id: task.scanId, now: new Date() });
    }),
  });
  expect(result).toMatchObject({ status: 'canceled', cause: 'canceled' });
  expect(await row()).toMatchObject({ status: 'canceled', cause: 'canceled' });
});

test('a cancel before the start ends a scan without a clone', async () => {
  await world.database.stores.scans.begin({ id: task.scanId, now: new Date() });
  await world.database.stores.scans.requestCancel({ id: task.scanId, now: new Date() });
  const { result } = await scan({ git: refusingGit('clone_failed') }, 2);
  expect(result).toMatchObject({ status: 'canceled' });
  expect(await row()).toMatchObject({ status: 'canceled', cause: 'canceled' });
});

test('a cancel by Temporal stops the clone', async () => {
  const activities = await activitiesWith({
    git: instantGit(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new SecuError('canceled', 'it was asked to stop')));
          stop.abort();
        }),
    ),
  });
  const stop = new AbortController();
  await expect(
    run(activities, 'scanRepository', task, { info: { attempt: 3 }, cancel: stop.signal }),
  ).rejects.toThrow('CANCELLED');
  // the workflow ends the row
  expect(await row()).toMatchObject({ status: 'running' });
  expect(await readdir(activities.deps.workFolder)).toEqual([]);
});

test('a retry after a lost answer returns the result from the row', async () => {
  await scan({ scanners: reporting(() => ({ findings: [finding()] })) });
  const { result } = await scan({ git: refusingGit('clone_failed') }, 2);
  expect(result).toMatchObject({ status: 'succeeded', outcome: 'findings' });
  expect(await row()).toMatchObject({ status: 'succeeded', attempt: 1 });
});

test('a full scan that is requested during a scan follows it', async () => {
  const { starters } = await scan({
    git: instantGit(async () => {
      await world.database.stores.scans.requestScan({
        repositoryId: task.repositoryId,
        full: true,
        now: new Date(),
      });
    }),
  });
  expect(
    await world.db.query(`select history, trigger from scan where repository_id = $1 and status = 'queued'`, [
      task.repositoryId,
    ]),
  ).toEqual([{ history: 'full', trigger: 'manual' }]);
  expect(starters.wakes).toContain(`fleet ${task.integrationId}`);
});
