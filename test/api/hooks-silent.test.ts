import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seedIntegration, seedRepositories } from '../db/seed.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;
let integrationId: string;
let repositoryId: string;
let token: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
  integrationId = await seedIntegration(world.database);
  [repositoryId = ''] = await seedRepositories(world.database, integrationId, [15]);
  token = (await api.call(`POST integrations/${integrationId}/hook-token`)).body.value;
});
afterAll(() => world.close());

async function receivePush(): Promise<void> {
  const { status } = await api.call(`POST hooks/gitlab/${integrationId}`, {
    as: null,
    json: { object_kind: 'push', ref: 'refs/heads/main', project_id: 15 },
    headers: { 'X-Gitlab-Token': token },
  });
  expect(status).toBe(202);
}

test('an integration whose webhooks stopped while polling finds commits needs attention', async () => {
  const { scans: store } = world.database.stores;
  const silent = async () => {
    const { body } = await api.call('GET overview');
    return body.attention.filter(
      (item: { kind: string; integrationId: string }) =>
        item.kind === 'hooks_silent' && item.integrationId === integrationId,
    );
  };
  const state = async () => (await api.call(`GET integrations/${integrationId}`)).body.hooks.state;
  await world.db.query(`update integration set verdict = 'active' where id = $1`, [integrationId]);
  await receivePush();
  await world.db.query(
    `update scan set status = 'succeeded', finished_at = now() where integration_id = $1`,
    [integrationId],
  );
  await world.db.query(
    `update hook_receiver set last_at = now() - interval '25 hours' where integration_id = $1`,
    [integrationId],
  );
  expect([await state(), await silent()]).toEqual(['receiving', []]);
  await store.queue({ repositoryIds: [repositoryId], trigger: 'sync', history: 'none', now: new Date() });
  expect(await state()).toBe('silent');
  expect(await silent()).toMatchObject([{ text: expect.stringContaining('webhooks have stopped') }]);
  await receivePush();
  expect([await state(), await silent()]).toEqual(['receiving', []]);
});
