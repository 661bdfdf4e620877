import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Recipe } from '../../simulator/index.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { addIntegration } from '../support/integration.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;
let id: string;
let userId: number;
let tokenId: number;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: recipes() } });
  api = await startApi(world);
  const { control } = world.simulator;
  userId = control.createUser({ member: false }).id;
  for (const project of ['acme/new', 'acme/old-name'])
    control.setRole({ project, userId, level: 20, via: 'group' });
  control.setRole({ project: 'acme/guest', userId, level: 10, via: 'project' });
  const created = control.createToken({ userId });
  tokenId = created.id;
  ({ integrationId: id } = await addIntegration(world, { token: created.token, wake: false }));
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  world.simulator.control.faults.clear();
  await world.db.query('delete from repository');
  await world.db.query(`update integration set last_sync_at = now(), cause = null, brake_held = null`);
});

function recipes(): Recipe[] {
  const recipe = (path: string, project: Recipe['project'] = {}): Recipe => ({
    name: path.replace('/', '-'),
    path,
    about: path,
    project,
    commits: () => [{ message: 'Begin', files: { 'README.md': '# x' } }],
    expect: { listed: true, findings: [] },
  });
  return [
    recipe('acme/new'),
    recipe('acme/old-name'),
    recipe('acme/guest'),
    recipe('acme/secret'),
    recipe('open/source', { visibility: 'public' }),
  ];
}

async function list(...rows: Record<string, unknown>[]): Promise<void> {
  const repositories = rows.map((own, index) => ({
    gitlabProjectId: 900 + index,
    fullPath: `acme/r${index}`,
    defaultBranch: 'main',
    visibility: 'private',
    lastActivityAt: null,
    empty: false,
    archived: false,
    fork: false,
    personal: false,
    pendingDeletion: false,
    repositoryDisabled: false,
    state: 'active' as const,
    excludedBecause: null,
    ...own,
  }));
  await world.database.stores.listing.upsertPage({ integrationId: id, repositories, now: new Date() });
}

const explain = (path: string) =>
  api.call(`GET integrations/${id}/explain?path=${encodeURIComponent(path)}`, { as: 'viewer' });

test.each<[Record<string, unknown>, Record<string, unknown>]>([
  [{ state: 'active' }, { listed: true, reason: null }],
  [
    { state: 'empty', empty: true },
    { listed: true, reason: 'empty' },
  ],
  ...(
    [
      'archived',
      'filter',
      'fork',
      'personal',
      'pending_deletion',
      'repository_disabled',
      'access_too_low',
    ] as const
  ).map((because): [Record<string, unknown>, Record<string, unknown>] => [
    { state: 'excluded', excludedBecause: because },
    { listed: false, reason: because },
  ]),
  [{ state: 'missing' }, { listed: false, reason: 'missing' }],
])('the row %j is explained without a request to GitLab', async (row, expected) => {
  world.simulator.control.requests.reset();
  await list({ fullPath: 'acme/Known', ...row });
  const { status, body } = await explain('acme/known');
  expect([status, body]).toEqual([200, expect.objectContaining({ path: 'acme/Known', ...expected })]);
  expect(body.detail).toMatch(/\.$/);
  expect(world.simulator.control.requests.list()).toEqual([]);
});

test('a repository held back by the brake is listed and explained as such', async () => {
  await list({ fullPath: 'acme/held' });
  await world.db.query(`update integration set brake_held = 'x'`);
  await world.db.query(`update repository set missed_by_sync_id = 'syn_x'`);
  expect((await explain('acme/held')).body).toMatchObject({ listed: true, reason: 'brake_engaged' });
});

test.each([
  ['acme/new', 'not_synced_yet'],
  ['acme/guest', 'access_too_low'],
  ['open/source', 'not_a_member'],
  ['acme/secret', 'not_visible'],
  ['acme/nothing-here', 'not_visible'],
])('GitLab is asked about %s: %s', async (path, reason) => {
  expect((await explain(path)).body).toMatchObject({ path, listed: false, reason });
});

test('a former path is explained as the current project', async () => {
  const { id: project } = world.simulator.control.project('acme/old-name');
  world.simulator.control.renameProject('acme/old-name', 'acme/new-name');
  expect((await explain('acme/old-name')).body).toMatchObject({
    path: 'acme/new-name',
    reason: 'not_synced_yet',
  });
  await list({
    gitlabProjectId: project,
    fullPath: 'acme/new-name',
    state: 'excluded',
    excludedBecause: 'filter',
  });
  expect((await explain('acme/old-name')).body).toMatchObject({ path: 'acme/new-name', reason: 'filter' });
});

test('before the first sync, or without the scope, the explanation says so', async () => {
  await world.db.query('update integration set last_sync_at = null');
  expect((await explain('acme/new')).body).toMatchObject({ listed: false, reason: 'not_synced_yet' });
  await world.db.query(`update integration set last_sync_at = now()`);
  world.simulator.control.setTokenScopes(tokenId, ['read_repository']);
  expect((await explain('acme/new')).body).toMatchObject({ reason: 'token_scope_missing' });
  world.simulator.control.setTokenScopes(tokenId, ['read_api']);
});

test.each(['b%zz', 'b%', '%E0%A4%A', 'b%c3%28'])(
  'a pasted URL with the malformed escape %j is 400',
  async (name) => {
    const path = encodeURIComponent(`https://gitlab.example.com/a/${name}`);
    const { status, body } = await api.call(`GET integrations/${id}/explain?path=${path}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  },
);

test('a pasted URL works, an invalid path is 400, and an outage is an error, not a reason', async () => {
  const pasted = `${world.simulator.url}/acme/guest/-/tree/main`;
  expect((await explain(pasted)).body).toMatchObject({ path: 'acme/guest', reason: 'access_too_low' });
  expect((await explain('/acme/guest.git')).body).toMatchObject({ path: 'acme/guest' });
  for (const path of ['acme', 'acme/../x', 'a b/c']) expect((await explain(path)).status).toBe(400);
  expect((await api.call(`GET integrations/${id}/explain`)).status).toBe(400);
  world.simulator.control.faults.add({ match: { path: /projects/ }, answer: { kind: 'html', status: 502 } });
  const unavailable = await explain('acme/new');
  expect([unavailable.status, unavailable.body.code]).toEqual([503, 'gitlab_unreachable']);
});

test('a filter preview shows additions and removals and stores nothing', async () => {
  await list(
    { fullPath: 'acme/app' },
    { fullPath: 'acme/site' },
    { fullPath: 'acme/legacy', archived: true, state: 'excluded', excludedBecause: 'archived' },
    { fullPath: 'me/fork', fork: true },
    {
      fullPath: 'acme/doomed',
      pendingDeletion: true,
      state: 'excluded',
      excludedBecause: 'pending_deletion',
    },
  );
  const before = await world.db.query('select * from repository order by id');
  const preview = (filters: unknown, as: 'operator' | 'viewer' = 'operator') =>
    api.call(`POST integrations/${id}/filters/preview`, { as, json: { filters } });
  expect((await preview({})).body).toEqual({ added: 0, removed: 0, sample: [] });
  const { body } = await preview({ exclude: ['acme/site'], archived: true, forks: false });
  expect([body.added, body.removed]).toEqual([1, 2]);
  expect(body.sample).toEqual(
    expect.arrayContaining([
      { path: 'acme/legacy', change: 'added' },
      { path: 'acme/site', change: 'removed' },
      { path: 'me/fork', change: 'removed' },
    ]),
  );
  expect(await world.db.query('select * from repository order by id')).toEqual(before);
  expect((await preview({ include: [''] })).status).toBe(400);
  expect((await preview({}, 'viewer')).status).toBe(403);
});

test('after a rate limit without a date a person is still answered from a reserve, and then told when to try again', async () => {
  const limited = world.simulator.control.faults.add({
    match: { path: /^\/api\/v4\//, nth: 1 },
    answer: { kind: 'rate_limit', limiter: 'rack_attack', retryAfterSeconds: null },
  });
  const first = await explain('acme/new');
  expect(first.status).toBe(503);
  expect(Number(first.headers.get('Retry-After'))).toBeGreaterThanOrEqual(30);
  expect(first.body).toMatchObject({
    code: 'gitlab_rate_limited',
    detail: expect.stringMatching(/try again in \d+ seconds/),
  });
  limited.remove();
  await list({ fullPath: 'acme/new' });
  expect((await explain('acme/new')).status).toBe(200);
});
