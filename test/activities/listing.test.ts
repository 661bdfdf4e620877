import { expect, test } from '@jest/globals';
import type { Recipe } from '../../simulator/index.ts';
import { defaultRecipes, fleetRecipes } from '../../simulator/index.ts';
import type { SecuError } from '../../src/domain/errors.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { applyAndFinish, pretendScanned, repositoriesOf, sync, syncRow } from './listing-support.ts';
import type { Active, Activities } from './support.ts';
import { active, activitiesOf, eventsOf, kindsOf, rowOf, run } from './support.ts';

interface TestContext {
  world: TestWorld;
  activities: Activities;
  added: Active;
  control: TestWorld['simulator']['control'];
}

/** A simulated GitLab with these projects, and an active integration that was never synced. */
async function withIntegration(
  recipes: Recipe[],
  work: (context: TestContext) => Promise<void>,
  filters: Parameters<typeof active>[2] = {},
): Promise<void> {
  const world = await createTestWorld({ simulator: { recipes } });
  try {
    const activities = await activitiesOf(world);
    const added = await active(world, activities, filters);
    await work({ world, activities, added, control: world.simulator.control });
  } finally {
    await world.close();
  }
}

const LIST = 'GET /api/v4/projects';

test('the first sync adds all repositories, queues a scan of each, and publishes one summary', () =>
  withIntegration(fleetRecipes(7), async ({ world, activities, added }) => {
    const { integrationId } = added;
    const synced = await sync(activities, integrationId);
    expect(synced.listing).toMatchObject({ listed: 7, added: 7, complete: true, cause: null });
    expect(synced).toMatchObject({ queued: 7, heads: 0 });
    expect(await repositoriesOf(world, integrationId)).toHaveLength(7);
    expect((await kindsOf(world, integrationId)).slice(1)).toEqual(['sync.started', 'sync.finished']);
    expect(await syncRow(world, synced)).toMatchObject({
      state: 'done',
      complete: true,
      listed: 7,
      added: 7,
      queued_scans: 7,
      trigger: 'created',
    });
    expect(await rowOf(world, 'integration', integrationId)).toMatchObject({ listed: 7 });
    expect(activities.starters.wakes.at(-1)).toBe(`fleet ${integrationId}`);
    expect(await world.db.query('select distinct trigger, priority, status from scan')).toEqual([
      { trigger: 'created', priority: 4, status: 'queued' },
    ]);
  }));

test.each([
  [0, 1],
  [100, 2],
  [230, 4],
])(
  'an unchanged sync of %d repositories costs %d requests, writes no repository and queues nothing',
  (count, requests) =>
    withIntegration(fleetRecipes(count), async ({ world, activities, added, control }) => {
      const { integrationId } = added;
      await sync(activities, integrationId);
      await pretendScanned(world, integrationId);
      const before = await repositoriesOf(world, integrationId);
      const eventsBefore = await kindsOf(world, integrationId);
      control.requests.reset();
      // a background sync without changes publishes no event
      const synced = await sync(activities, integrationId, { nowMs: Date.now() + 60_000 });
      expect(control.requests.count(LIST)).toBe(requests);
      expect(control.requests.list().filter(({ route }) => route.startsWith('GET '))).toHaveLength(requests);
      expect(synced).toMatchObject({ queued: 0, listing: { listed: count, added: 0, renamed: 0 } });
      expect(await repositoriesOf(world, integrationId)).toEqual(before);
      expect(await kindsOf(world, integrationId)).toEqual(eventsBefore);
    }),
);

test('a long listing is read in concurrent ranges, marks exactly the missing repositories, and resumes after a crash', () =>
  withIntegration([], async ({ world, activities, added, control }) => {
    const { integrationId } = added;
    const [recipe] = fleetRecipes(1);
    if (recipe === undefined) throw new Error('no recipe');
    await control.addCopies({ recipe, count: 1_730, maxGap: 400 });
    const first = await sync(activities, integrationId);
    expect(first.listing).toMatchObject({ complete: true, listed: 1_730, added: 1_730 });
    const paths = (await repositoriesOf(world, integrationId)).map(({ path }) => path);
    expect(new Set(paths).size).toBe(1_730);
    await pretendScanned(world, integrationId);

    const before = await repositoriesOf(world, integrationId);
    control.requests.reset();
    const again = await sync(activities, integrationId, { nowMs: Date.now() + 60_000 });
    expect(again).toMatchObject({ queued: 0, listing: { listed: 1_730, added: 0 } });
    expect(await repositoriesOf(world, integrationId)).toEqual(before);
    expect(control.requests.count(LIST)).toBeLessThanOrEqual(18 * 1.03 + 4 * 16);

    const gone = [3, 900, 1_729].map((number) => `${recipe.path}-${number}`);
    for (const path of gone) control.removeProject(path);
    const nowMs = Date.now() + 120_000;
    const { syncId } = await activities.openSync({ integrationId, nowMs });
    const id = { integrationId, syncId: syncId ?? '' };
    control.faults.add({
      match: { path: /^\/api\/v4\/projects\?/, nth: 14, times: 99 },
      answer: { kind: 'html', status: 502 },
    });
    const heartbeats: unknown[] = [];
    const crashed = run(
      activities,
      'listRepositories',
      { ...id, nowMs },
      { onHeartbeat: (details) => heartbeats.push(JSON.parse(JSON.stringify(details))) },
    );
    await expect(crashed).rejects.toMatchObject({ code: 'gitlab_unreachable' });
    expect((heartbeats.at(-1) as { listed: number }).listed).toBeGreaterThan(500);
    control.faults.clear();
    control.requests.reset();
    const listing = await run(
      activities,
      'listRepositories',
      { ...id, nowMs },
      { info: { attempt: 2, heartbeatDetails: heartbeats.at(-1) } },
    );
    const pages = control.requests.list().filter(({ route }) => route === LIST);
    expect(pages.every(({ query }) => query.includes('id_after'))).toBe(true);
    expect(listing).toMatchObject({ complete: true, listed: 1_727 });
    await applyAndFinish(activities, { ...id, listing, nowMs });
    const removed = (await repositoriesOf(world, integrationId)).filter(({ state }) => state === 'removed');
    expect(removed.map(({ path }) => path).toSorted()).toEqual(gone.toSorted());
  }));

test('a rename keeps the ID and has an event; an added repository has one too', () =>
  withIntegration(fleetRecipes(3), async ({ world, activities, added, control }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    const [first] = await repositoriesOf(world, integrationId);
    control.renameProject(first?.path ?? '', 'fleet/moved/elsewhere');
    const [extra] = fleetRecipes(4).slice(3);
    if (extra !== undefined) await control.addProject(extra);
    const synced = await sync(activities, integrationId);
    expect(synced.listing).toMatchObject({ added: 1, renamed: 1 });
    const [renamed, , , fresh] = await repositoriesOf(world, integrationId);
    expect(renamed).toMatchObject({ id: first?.id, path: 'fleet/moved/elsewhere' });
    expect((await eventsOf(world, integrationId)).slice(3)).toEqual([
      {
        kind: 'repository.renamed',
        repositoryId: first?.id,
        data: { from: first?.path, to: 'fleet/moved/elsewhere' },
      },
      { kind: 'repository.added', repositoryId: fresh?.id, data: {} },
      {
        kind: 'integration.reach_changed',
        repositoryId: null,
        data: {
          syncId: synced.syncId,
          before: { repositories: 3 },
          after: { repositories: 4 },
          gained: 1,
          lost: 0,
        },
      },
      expect.objectContaining({ kind: 'sync.finished' }),
    ]);
    const warnings = async () => (await rowOf(world, 'integration', integrationId))['warnings'];
    expect(await warnings()).toEqual(['reach_grown']);
    await sync(activities, integrationId);
    expect(await warnings()).toEqual(['reach_grown']);
    await sync(activities, integrationId, { nowMs: Date.now() + 25 * 3_600_000 });
    expect(await warnings()).toEqual([]);
  }));

const STATES = ['empty', 'pending-deletion', 'archived', 'repository-disabled', 'fork', 'personal', 'shop'];

test('an excluded repository has a reason and no scans', () =>
  withIntegration(
    [...defaultRecipes().filter(({ name }) => STATES.includes(name)), ...fleetRecipes(2)],
    async ({ world, activities, added }) => {
      const { integrationId } = added;
      await sync(activities, integrationId);
      const rows = await repositoriesOf(world, integrationId);
      expect(Object.fromEntries(rows.map(({ path, state, because }) => [path, because ?? state]))).toEqual({
        'acme/fresh': 'empty',
        'acme/old-deletion_scheduled-23': 'pending_deletion',
        'acme/legacy': 'archived',
        'acme/wiki-only': 'repository_disabled',
        'acme/fork-of-shop': 'fork',
        'jdoe/dotfiles': 'personal',
        'acme/shop': 'active',
        'fleet/team-00/service-00000': 'active',
        'fleet/team-01/service-00001': 'filter',
      });
      expect(
        await world.db.query('select r.full_path from scan s join repository r on r.id = s.repository_id'),
      ).toHaveLength(2);
    },
    { filters: { forks: false, personal: false, exclude: ['fleet/team-01/**'] } },
  ));

test('an interrupted listing is retried, and removes nothing if it stays incomplete', () =>
  withIntegration(fleetRecipes(120), async ({ world, activities, added, control }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    const before = await repositoriesOf(world, integrationId);
    control.removeProject('fleet-00003');
    // an outage, not one broken project: all later page requests fail
    control.faults.add({
      match: { path: /^\/api\/v4\/projects\?/, nth: 2, times: 1_000 },
      answer: { kind: 'html', status: 502 },
    });

    const nowMs = Date.now();
    const { syncId } = await activities.openSync({ integrationId, nowMs });
    const id = { integrationId, syncId: syncId ?? '' };
    const failure: SecuError = await run(activities, 'listRepositories', { ...id, nowMs }).catch(
      (err) => err,
    );
    expect(failure.code).toBe('gitlab_unreachable');
    expect(await rowOf(world, 'sync_run', id.syncId)).toMatchObject({
      cause: 'gitlab_unreachable',
      listed: 100,
    });

    const listing = await activities.listingFailed({ ...id, cause: failure.code });
    await applyAndFinish(activities, { ...id, listing, nowMs });
    expect(await rowOf(world, 'sync_run', id.syncId)).toMatchObject({
      state: 'failed',
      complete: false,
      cause: 'gitlab_unreachable',
      missing: 0,
      removed: 0,
    });
    expect((await repositoriesOf(world, integrationId)).map(({ state }) => state)).toEqual(
      before.map(({ state }) => state),
    );
    expect((await kindsOf(world, integrationId)).at(-1)).toBe('sync.failed');
  }));

test('a token that becomes invalid during the listing stops it, removes nothing, and is verified at once', () =>
  withIntegration(fleetRecipes(120), async ({ world, activities, added, control }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    control.removeProject('fleet-00003');
    control.faults.add({
      match: { path: /^\/api\/v4\/projects\?/, nth: 2, times: 99 },
      answer: { kind: 'reply', status: 401, body: { message: '401 Unauthorized' } },
    });
    const nowMs = Date.now();
    const synced = await sync(activities, integrationId, { nowMs });
    expect(synced.listing).toMatchObject({ complete: false, cause: 'token_rejected', listed: 100 });
    expect(await syncRow(world, synced)).toMatchObject({ state: 'failed', missing: 0, removed: 0 });
    expect(await repositoriesOf(world, integrationId)).toHaveLength(120);
    expect(await rowOf(world, 'integration', integrationId)).toMatchObject({
      verdict: 'active',
      suspected_at: new Date(nowMs),
      next_verify_at: new Date(nowMs),
    });
    expect(activities.starters.wakes).toContain(`integration ${integrationId}`);
  }));

test('after a crash the listing resumes from its last heartbeat and still knows what was missing', () =>
  withIntegration(fleetRecipes(320), async ({ world, activities, added, control }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    control.removeProject('fleet-00010');
    const nowMs = Date.now();
    const { syncId } = await activities.openSync({ integrationId, nowMs });
    const id = { integrationId, syncId: syncId ?? '' };
    const slow = control.faults.add({
      match: { path: /^\/api\/v4\/projects\?/, nth: 3, times: 99 },
      answer: { kind: 'hang' },
    });
    const heartbeats: unknown[] = [];
    const stop = new AbortController();
    const crashed = run(
      activities,
      'listRepositories',
      { ...id, nowMs },
      {
        cancel: stop.signal,
        onHeartbeat(details) {
          heartbeats.push(details);
          if (slow.hits() > 0 && heartbeats.length > 1) stop.abort();
        },
      },
    );
    await expect(crashed).rejects.toThrow('CANCELLED');
    expect(heartbeats.at(-1)).toMatchObject({ listed: 200 });

    control.faults.clear();
    control.requests.reset();
    const listing = await run(
      activities,
      'listRepositories',
      { ...id, nowMs },
      { info: { attempt: 2, heartbeatDetails: heartbeats.at(-1) } },
    );
    expect(listing).toMatchObject({ complete: true, listed: 319, gone: [expect.any(String)] });
    expect(control.requests.count(LIST)).toBe(3);
    await applyAndFinish(activities, { ...id, listing, nowMs });
    const states = (await repositoriesOf(world, integrationId)).map(({ state }) => state);
    expect(states.filter((state) => state === 'removed')).toHaveLength(1);
  }));
