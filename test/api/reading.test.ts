import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { Scanners } from '../../src/domain/ports.ts';
import { NOTHING_UNREAD } from '../../src/domain/scan.ts';
import { finding, scannerRun } from '../db/seed.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const REPOSITORIES = 3;

let world: TestWorld;
let api: TestApi;
let integrationId: string;
/** When set, scans wait for it to end: so that one can be seen running. */
let hold: Promise<void> | null = null;

const FOUND = [
  finding('prod', {
    severity: 'critical',
    path: 'a dir/prod#1.env',
    startLine: 4,
    endLine: 6,
    title: 'A \u202ekey',
  }),
  finding('test', { severity: 'low', kind: 'config', ruleId: 'loose', scanner: 'gitleaks' }),
];

/** Finds the same two things everywhere. */
const scanners: Scanners = {
  rules: 'sha256:fixed',
  ruleIds: { gitleaks: [], 'ast-grep': [] },
  async scan({ signal, commit }) {
    await Promise.race([hold, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    signal.throwIfAborted();
    const findings = FOUND.map((one) => ({ ...one, commit }));
    return { runs: [scannerRun({ findings: 2 })], findings, ...NOTHING_UNREAD };
  },
};

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(REPOSITORIES) },
    scanners: () => scanners,
  });
  api = await startApi(world);
  await startWorkers(world);
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const json = { provider: 'gitlab', type: 'git', token, name: 'Reading' };
  integrationId = (await api.call('POST integrations', { json })).body.id;
  await settled();
});

beforeEach(() => {
  hold = null;
});

afterAll(async () => {
  await world.close();
});

const settled = () =>
  awaitUntil(async () => {
    const { body } = await api.call(`GET integrations/${integrationId}`);
    const quiet = body.scans.queued + body.scans.running === 0;
    return body.counts.scanned === REPOSITORIES && quiet ? body : null;
  });

const read = (path: string) => api.call(`GET ${path}`, { as: 'viewer' });

async function anyRepository() {
  return (await read('repositories?limit=1')).body.items[0];
}

test('a repository shows its URL, last scan and open findings', async () => {
  const { body } = await read('repositories?sort=fullPath');
  expect(body.items).toHaveLength(REPOSITORIES);
  const [first] = body.items;
  expect(first).toEqual({
    id: expect.stringMatching(/^rep_/),
    integrationId,
    gitlabProjectId: expect.any(Number),
    fullPath: 'fleet/team-00/service-00000',
    webUrl: `${world.simulator.url}/fleet/team-00/service-00000`,
    defaultBranch: 'main',
    visibility: 'private',
    state: 'active',
    excludedBecause: null,
    lastActivityAt: expect.stringMatching(/Z$/),
    lastScan: {
      id: expect.stringMatching(/^scn_/),
      status: 'succeeded',
      outcome: 'findings',
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      finishedAt: expect.stringMatching(/Z$/),
      cause: null,
      missingScanners: [],
    },
    history: { state: 'off', cause: null, readAt: null, refs: [] },
    counts: { open: 2, critical: 1, high: 0, medium: 0, low: 1 },
  });
  expect((await read(`repositories/${first.id}`)).body).toEqual(first);
});

test('a repository shows how far its history was read, or why it could not be', async () => {
  const { id } = await anyRepository();
  const historyOf = async () => (await read(`repositories/${id}`)).body.history;
  const { stores } = world.database;
  const now = new Date('2026-06-01T00:00:00Z');
  const refs = [{ name: 'main', commit: 'a'.repeat(40) }];
  expect(await stores.integrations.change(integrationId, { history: 'full' }, now)).toBe(true);
  expect(await historyOf()).toMatchObject({ state: 'waiting' });
  await stores.histories.recordRead({ repositoryId: id, refs, rules: 'r', cause: null, now });
  expect(await historyOf()).toEqual({
    state: 'read',
    cause: null,
    readAt: now.toISOString(),
    refs: [{ ...refs[0], scannedAt: now.toISOString() }],
  });
  await stores.histories.recordRead({ repositoryId: id, refs, rules: 'r', cause: 'history_unread', now });
  expect(await historyOf()).toMatchObject({ state: 'partial', cause: 'history_unread' });
  await stores.histories.recordFailure({ repositoryId: id, cause: 'clone_too_large', now });
  expect(await historyOf()).toMatchObject({ state: 'failed', cause: 'clone_too_large', refs: [] });
  expect((await read('overview')).body.attention).toContainEqual(
    expect.objectContaining({ kind: 'history_failed', repositoryId: id, cause: 'clone_too_large' }),
  );
  await world.db.query(`update repository set history_cause = null, history_rules = null where id = $1`, [
    id,
  ]);
  expect(await stores.integrations.change(integrationId, { history: null }, now)).toBe(true);
});

test('repositories can be filtered by integration, state and path, and are paged in order', async () => {
  const paths = async (query: string) =>
    (await read(`repositories?${query}`)).body.items.map((one: { fullPath: string }) => one.fullPath);
  expect(await paths(`integrationId=${integrationId}&q=00001`)).toEqual(['fleet/team-01/service-00001']);
  expect(await paths('integrationId=int_other')).toEqual([]);
  expect(await paths('state=missing,removed')).toEqual([]);
  expect(await paths('sort=-fullPath')).toEqual((await paths('sort=fullPath')).reverse());
  const first = await read('repositories?limit=2');
  const second = await read(`repositories?limit=2&cursor=${encodeURIComponent(first.body.nextCursor)}`);
  expect([first.body.items.length, second.body.items.length, second.body.nextCursor]).toEqual([2, 1, null]);
  expect((await read(`integrations/${integrationId}/repositories`)).body.items).toHaveLength(REPOSITORIES);
});

test('a scan shows each scanner with the files it read and skipped', async () => {
  const { lastScan, id } = await anyRepository();
  const { body } = await read(`scans/${lastScan.id}`);
  expect(body).toMatchObject({
    id: lastScan.id,
    repositoryId: id,
    trigger: 'created',
    status: 'succeeded',
    phase: null,
    outcome: 'findings',
    history: 'none',
    cause: null,
    attempt: 1,
    scanners: [
      {
        name: 'gitleaks',
        version: '8.30.1',
        rules: 'sha256:one',
        status: 'ok',
        cause: null,
        findings: 2,
        filesScanned: 3,
        filesSkipped: [{ reason: 'binary', count: 2 }],
        durationMs: 12,
      },
    ],
  });
  expect(body.cloneBytes).toBeGreaterThan(0);
  expect((await read(`repositories/${id}/scans`)).body.items).toEqual([body]);
});

test('findings are sorted by severity, with a permalink from the base URL and escaped text', async () => {
  const { body } = await read(`findings?integrationId=${integrationId}`);
  expect(body.items.map((one: { severity: string }) => one.severity)).toEqual([
    ...Array.from({ length: REPOSITORIES }, () => 'critical'),
    ...Array.from({ length: REPOSITORIES }, () => 'low'),
  ]);
  const [worst] = body.items;
  const repository = (await read(`repositories/${worst.repositoryId}`)).body;
  expect(worst).toMatchObject({
    kind: 'secret',
    scanner: 'gitleaks',
    title: 'A \\u202ekey',
    path: 'a dir/prod#1.env',
    startLine: 4,
    endLine: 6,
    status: 'open',
    triage: null,
    permalink: `${repository.webUrl}/-/blob/${worst.commit}/a%20dir/prod%231.env#L4-6`,
  });
  expect((await read(`findings/${worst.id}`)).body).toEqual(worst);
});

test('findings can be filtered by every documented filter', async () => {
  const count = async (query: string) => (await read(`findings?${query}&limit=200`)).body.items.length;
  const { id } = await anyRepository();
  expect(await count('severity=critical,high')).toBe(REPOSITORIES);
  expect(await count('kind=config')).toBe(REPOSITORIES);
  expect(await count(`repositoryId=${id}`)).toBe(2);
  expect(await count(`repositoryId=${id}&severity=low`)).toBe(1);
  expect(await count('status=fixed,ignored')).toBe(0);
  expect(await count('q=LOOSE')).toBe(REPOSITORIES);
  expect(await count('q=service-00002')).toBe(2);
  expect(await count('atHead=true')).toBe(2 * REPOSITORIES);
  expect(await count('atHead=false')).toBe(0);
  expect((await read('findings?severity=worst')).status).toBe(400);
});

test('a requested scan joins the open one', async () => {
  const { id } = await anyRepository();
  let release = (): void => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  const first = await api.call(`POST repositories/${id}/scan`, { as: 'operator' });
  expect(first.status).toBe(202);
  const second = await api.call(`POST repositories/${id}/scan`, { json: { full: true } });
  expect(second.body).toEqual(first.body);
  await awaitUntil(async () => (await read(`scans/${first.body.scanId}`)).body.phase === 'scanning');
  release();
  const ended = await awaitUntil(async () => {
    const { body } = await read(`scans/${first.body.scanId}`);
    return body.status === 'succeeded' ? body : null;
  });
  expect(ended.trigger).toBe('manual');
  await settled();
});

test('a running scan is canceled within five seconds; a finished one does not change', async () => {
  const { id } = await anyRepository();
  hold = new Promise(() => {});
  const { body } = await api.call(`POST repositories/${id}/scan`);
  const { scanId } = body;
  await awaitUntil(async () => (await read(`scans/${scanId}`)).body.phase === 'scanning');
  expect((await api.call(`POST scans/${scanId}/cancel`, { as: 'operator' })).status).toBe(202);
  const canceled = await awaitUntil(
    async () => {
      const scan = (await read(`scans/${scanId}`)).body;
      return scan.status === 'canceled' ? scan : null;
    },
    { timeoutMs: 13_000 },
  );
  expect(canceled).toMatchObject({ cause: 'canceled', phase: null, finishedAt: expect.stringMatching(/Z$/) });
  const again = await api.call(`POST scans/${scanId}/cancel`);
  expect(again.body).toEqual(canceled);
});

test('a queued scan is canceled in the answer', async () => {
  const { id } = await anyRepository();
  await api.call(`PATCH integrations/${integrationId}`, { json: { paused: true } });
  const { body } = await api.call(`POST repositories/${id}/scan`);
  expect((await api.call(`POST scans/${body.scanId}/cancel`)).body).toMatchObject({
    status: 'canceled',
    cause: 'canceled',
  });
  await api.call(`PATCH integrations/${integrationId}`, { json: { paused: false } });
});

test('scanning an excluded repository is refused with the reason', async () => {
  const { id } = await anyRepository();
  await world.db.query(
    `update repository set state = 'excluded', excluded_because = 'archived' where id = $1`,
    [id],
  );
  const answer = await api.call(`POST repositories/${id}/scan`);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain('archived');
  await world.db.query(`update repository set state = 'active', excluded_because = null where id = $1`, [id]);
});

test('the overview shows attention items, freshness and token expiry in one call', async () => {
  const { body } = await read('overview');
  expect(body.freshness).toMatchObject({ scanned24h: REPOSITORIES, never: 0, repositories: REPOSITORIES });
  expect(body.bySeverity).toEqual({ critical: REPOSITORIES, high: 0, medium: 0, low: REPOSITORIES });
  expect(body.expiry).toMatchObject([{ integrationId, name: 'Reading', repositories: REPOSITORIES }]);
  expect(body.expiry[0].daysLeft).toBeGreaterThan(0);
  const kinds = () =>
    read('overview').then((answer) => answer.body.attention.map(({ kind }: { kind: string }) => kind));
  expect(await kinds()).toContain('no_channel');
  expect(await kinds()).not.toContain('invalid');
  await world.db.query(`update credential set flag = 7, flagged_at = now() where integration_id = $1`, [
    integrationId,
  ]);
  expect(await kinds()).toContain('expiring');
  await world.db.query(
    `update integration set verdict = 'invalid', cause = 'token_expired', brake_held = 'x', reachability = 'unreachable'
     where id = $1`,
    [integrationId],
  );
  const attention = (await read('overview')).body.attention;
  expect(attention[0]).toMatchObject({ kind: 'invalid', integrationId, cause: 'token_expired' });
  expect(attention[0].text).toContain('Reading');
  expect(attention.map(({ kind }: { kind: string }) => kind)).toContain('brake_engaged');
});

test('about names the version and never a secret', async () => {
  const { body, text } = await api.call('GET about');
  expect(body).toMatchObject({ version: '0.0.0-test', namespace: world.temporal.namespace });
  expect(text).not.toContain(world.keyRing.split(':')[1] ?? 'no key');
});
