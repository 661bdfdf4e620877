import { expect, test } from '@jest/globals';
import type { ListingStage } from './listing-support.ts';
import { repositoriesOf, sync, syncRow, withListedProjects } from './listing-support.ts';
import { eventsOf, kindsOf, rowOf } from './support.ts';

/** A simulated GitLab with this many projects, all synced once. */
async function withSyncedProjects(
  count: number,
  work: (stage: ListingStage) => Promise<void>,
): Promise<void> {
  await withListedProjects(count, async (stage) => {
    await sync(stage.activities, stage.added.integrationId);
    await work(stage);
  });
}

const nameOf = (index: number) => `fleet-${String(index).padStart(5, '0')}`;

function removeMany({ control }: ListingStage, { from = 0, count }: { from?: number; count: number }): void {
  for (let index = from; index < from + count; index += 1) control.removeProject(nameOf(index));
}

async function countsOf({ world, added }: ListingStage): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of await repositoriesOf(world, added.integrationId))
    counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

test('a project that GitLab reports as gone is removed by the first complete listing, with its queued scan', () =>
  withSyncedProjects(12, async (on) => {
    const { world, activities, added, control } = on;
    const [gone] = await repositoriesOf(world, added.integrationId);
    control.removeProject(gone?.path ?? '');
    const synced = await sync(activities, added.integrationId);
    expect(synced.listing.gone).toEqual([gone?.id]);
    expect(await countsOf(on)).toEqual({ active: 11, removed: 1 });
    expect(await syncRow(world, synced)).toMatchObject({ state: 'done', missing: 0, removed: 1 });
    expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
      warnings: ['reach_reduced'],
    });
    expect((await eventsOf(world, added.integrationId)).slice(-3)).toEqual([
      { kind: 'repository.removed', repositoryId: gone?.id, data: {} },
      expect.objectContaining({
        kind: 'integration.reach_changed',
        data: expect.objectContaining({ gained: 0, lost: 1 }),
      }),
      expect.objectContaining({ kind: 'sync.finished' }),
    ]);
    expect(
      await world.db.query('select status, cause from scan where repository_id = $1', [gone?.id]),
    ).toEqual([{ status: 'canceled', cause: 'repository_gone' }]);
  }));

test('if too many are missing to check each by ID, a second listing removes them, and they may return before', () =>
  withSyncedProjects(300, async (on) => {
    const { world, activities, added } = on;
    removeMany(on, { count: 51 });
    const first = await sync(activities, added.integrationId);
    expect(first.listing).toMatchObject({ gone: [], visible: [] });
    expect(await countsOf(on)).toEqual({ active: 249, missing: 51 });
    expect(await syncRow(world, first)).toMatchObject({ state: 'done', missing: 51, removed: 0 });

    const second = await sync(activities, added.integrationId);
    expect(await countsOf(on)).toEqual({ active: 249, removed: 51 });
    expect(await syncRow(world, second)).toMatchObject({ state: 'done', missing: 0, removed: 51 });
    const kinds = await kindsOf(world, added.integrationId);
    expect(kinds.filter((kind) => kind === 'repository.missing')).toHaveLength(51);
    expect(kinds.filter((kind) => kind === 'repository.removed')).toHaveLength(51);
  }));

test('a repository that answers by ID but is no longer listed is excluded with one event, and returns with its role', () =>
  withSyncedProjects(12, async (on) => {
    const { world, activities, added, control } = on;
    const guest = { project: nameOf(4), userId: added.userId, via: 'project' } as const;
    control.setRole({ ...guest, level: 10 });
    for (let round = 0; round < 3; round += 1) {
      const { listing } = await sync(activities, added.integrationId);
      expect(listing.visible).toHaveLength(1);
    }
    const rows = await repositoriesOf(world, added.integrationId);
    expect(rows.filter(({ because }) => because === 'access_too_low')).toHaveLength(1);
    expect(await countsOf(on)).toEqual({ active: 11, excluded: 1 });
    const excluded = (await kindsOf(world, added.integrationId)).filter(
      (kind) => kind === 'repository.excluded',
    );
    expect(excluded).toHaveLength(1);

    control.setRole({ ...guest, level: 20 });
    await sync(activities, added.integrationId);
    expect(await countsOf(on)).toEqual({ active: 12 });
  }));

test('a repository that returns has an event and is scanned again', () =>
  withSyncedProjects(12, async (on) => {
    const { world, activities, added, control } = on;
    control.setRole({ project: nameOf(4), userId: added.userId, level: 0, via: 'project' });
    await sync(activities, added.integrationId);
    expect(await countsOf(on)).toEqual({ active: 11, removed: 1 });
    control.setRole({ project: nameOf(4), userId: added.userId, level: 20, via: 'project' });
    const synced = await sync(activities, added.integrationId);
    expect(synced.listing.returned).toBe(1);
    expect(synced.queued).toBe(1);
    expect(await kindsOf(world, added.integrationId)).toContain('repository.returned');
  }));

test.each([
  [40, 10, false],
  [60, 12, false],
  [40, 11, true],
])('of %d repositories %d are no longer listed: the brake engages: %s', (count, vanish, engages) =>
  withSyncedProjects(count, async (on) => {
    removeMany(on, { count: vanish });
    const synced = await sync(on.activities, on.added.integrationId);
    expect(await syncRow(on.world, synced)).toMatchObject(
      engages
        ? { state: 'waiting', cause: 'brake_engaged', missing: 0, removed: 0 }
        : { state: 'done', cause: null, removed: vanish },
    );
    expect(await countsOf(on)).toEqual(
      engages ? { active: count } : { active: count - vanish, removed: vanish },
    );
    const kinds = await kindsOf(on.world, on.added.integrationId);
    expect(kinds.includes('sync.brake_engaged')).toBe(engages);
  }),
);

test('a held-back removal is applied when a user accepts it', () =>
  withSyncedProjects(30, async (on) => {
    removeMany(on, { count: 20 });
    await sync(on.activities, on.added.integrationId);
    expect(await countsOf(on)).toEqual({ active: 30 });
    const synced = await sync(on.activities, on.added.integrationId, { acceptRemovals: true });
    expect(await syncRow(on.world, synced)).toMatchObject({ state: 'done', removed: 20 });
    expect(await countsOf(on)).toEqual({ active: 10, removed: 20 });
  }));

test('a held-back removal is applied when the next two listings agree, and not before', () =>
  withSyncedProjects(30, async (on) => {
    removeMany(on, { count: 15 });
    await sync(on.activities, on.added.integrationId);
    removeMany(on, { from: 15, count: 1 });
    // a different removal than the held-back one, so the count restarts
    await sync(on.activities, on.added.integrationId);
    await sync(on.activities, on.added.integrationId);
    expect(await countsOf(on)).toEqual({ active: 30 });
    await sync(on.activities, on.added.integrationId);
    expect(await countsOf(on)).toEqual({ active: 14, removed: 16 });
    expect(await rowOf(on.world, 'integration', on.added.integrationId)).toMatchObject({
      brake_held: null,
      brake_listings: 0,
    });
  }));

test('repositories that return release the brake without a loss', () =>
  withSyncedProjects(30, async (on) => {
    const { control, added, activities } = on;
    const of = (index: number) => ({ project: nameOf(index), userId: added.userId, via: 'project' }) as const;
    for (let index = 0; index < 20; index += 1) control.setRole({ ...of(index), level: 0 });
    await sync(activities, added.integrationId);
    for (let index = 0; index < 20; index += 1) control.setRole({ ...of(index), level: 20 });
    const synced = await sync(activities, added.integrationId);
    expect(await syncRow(on.world, synced)).toMatchObject({ state: 'done', missing: 0, removed: 0 });
    expect(await countsOf(on)).toEqual({ active: 30 });
    expect(await rowOf(on.world, 'integration', added.integrationId)).toMatchObject({ brake_held: null });
  }));
