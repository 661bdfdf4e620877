import { expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import { createTestWorld } from '../support/world.ts';
import { applyAndFinish, repositoriesOf, sync } from './listing-support.ts';
import { active, activitiesOf, run } from './support.ts';

test('filters that change during a sync apply to a following one, which starts by itself', async () => {
  const world = await createTestWorld({ simulator: { recipes: fleetRecipes(3) } });
  try {
    const activities = await activitiesOf(world);
    const { integrationId } = await active(world, activities);
    const { stores } = world.database;
    const nowMs = Date.now();
    const { syncId } = await activities.openSync({ integrationId, nowMs });
    const id = { integrationId, syncId: syncId ?? '' };
    const listing = await run(activities, 'listRepositories', { ...id, nowMs });

    const filters = { include: [], exclude: ['**'], archived: false, forks: true, personal: true };
    await stores.integrations.change(integrationId, { filters }, new Date(nowMs));
    await stores.syncs.runAgain(integrationId);
    await applyAndFinish(activities, { ...id, listing, nowMs });

    expect(await stores.syncs.findOpen(integrationId)).toMatchObject({ state: 'queued' });
    expect(activities.starters.wakes).toContain(`integration ${integrationId}`);
    await sync(activities, integrationId);
    expect((await repositoriesOf(world, integrationId)).map(({ because }) => because)).toEqual([
      'filter',
      'filter',
      'filter',
    ]);
    expect(await stores.syncs.findOpen(integrationId)).toBeNull();
  } finally {
    await world.close();
  }
});
