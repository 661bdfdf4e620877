import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const REPOSITORIES = 2;

let world: TestWorld;
let api: TestApi;
/** The integration that tests share; what would spoil it for others begins with a new one. */
let id: string;
let tokenId: number;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(REPOSITORIES) } });
  api = await startApi(world);
  await startWorkers(world);
  await begin();
});

afterAll(async () => {
  await world.close();
});

/** A new integration, listed and scanned. */
async function begin(): Promise<void> {
  const created = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  tokenId = created.id;
  const answer = await api.call('POST integrations', {
    json: { provider: 'gitlab', type: 'git', token: created.token },
  });
  id = answer.body.id;
  await settled();
}

const read = async () => (await api.call(`GET integrations/${id}`)).body;

/** Listed, and nothing waits or runs any more. */
const settled = () =>
  awaitUntil(async () => {
    const observed = await read();
    return observed.sync.lastCompletedAt !== null && observed.scans.queued + observed.scans.running === 0
      ? observed
      : null;
  });

const patch = (json: object, as: 'operator' | 'admin' = 'operator') =>
  api.call(`PATCH integrations/${id}`, { as, json });

const kinds = async () =>
  (await api.call(`GET integrations/${id}/events?limit=200`)).body.items.map(
    ({ kind }: { kind: string }) => kind,
  );

test('a name can change, also only in case, and is refused when taken', async () => {
  const name = `Renamed ${id}`;
  expect((await patch({ name })).body.name).toBe(name);
  expect((await patch({ name: name.toUpperCase() })).body.name).toBe(name.toUpperCase());
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const other = await api.call('POST integrations', { json: { provider: 'gitlab', type: 'git', token } });
  const refused = await patch({ name: other.body.name.toUpperCase() });
  expect([refused.status, refused.body.code]).toEqual([409, 'name_taken']);
  await api.call(`DELETE integrations/${other.body.id}`);
  expect((await patch({ name: other.body.name })).status).toBe(200);
});

test('filters can be changed separately and take effect at once', async () => {
  await begin();
  const { body } = await patch({ filters: { exclude: ['fleet/team-01/**'] } });
  expect(body.filters).toEqual({
    include: [],
    exclude: ['fleet/team-01/**'],
    archived: false,
    forks: true,
    personal: true,
  });
  await awaitUntil(async () => (await read()).counts.excluded === 1);
  const { body: page } = await api.call(`GET integrations/${id}/repositories?state=excluded`);
  expect(page.items).toMatchObject([{ fullPath: 'fleet/team-01/service-00001', excludedBecause: 'filter' }]);
  expect((await patch({ filters: { forks: false } })).body.filters).toMatchObject({
    exclude: ['fleet/team-01/**'],
    forks: false,
  });
  await awaitUntil(async () => (await read()).sync.state === 'idle');
  await patch({ filters: { exclude: [] } });
  await awaitUntil(async () => (await read()).counts.excluded === 0);
});

test('branches and history have defaults, can be changed, and take effect with the next sync', async () => {
  expect(await read()).toMatchObject({ branches: { mode: 'default', globs: [] }, history: null });
  const before = (await read()).sync.lastCompletedAt;
  const branches = { mode: 'globs', globs: ['release/*'] };
  expect((await patch({ branches, history: 'since' })).body).toMatchObject({ branches, history: 'since' });
  await awaitUntil(async () => (await read()).sync.lastCompletedAt !== before);
  expect((await patch({ branches: { mode: 'all' }, history: null })).body).toMatchObject({
    branches: { mode: 'all', globs: [] },
    history: null,
  });
  expect((await patch({ branches: { mode: 'default' } })).status).toBe(200);
  await settled();
});

test.each([
  { branches: { mode: 'globs' } },
  { branches: { mode: 'all', globs: ['x'] } },
  { branches: { mode: 'globs', globs: Array.from({ length: 21 }, () => 'x') } },
  { branches: { mode: 'some' } },
  { history: 'none' },
])('%j is refused', async (json) => {
  expect((await patch(json)).status).toBe(400);
});

test('paused masks the verdict and stops scans; resuming verifies and continues', async () => {
  expect((await patch({ paused: true })).body).toMatchObject({ status: 'paused', cause: null });
  const { body } = await api.call(`POST integrations/${id}/scan`);
  expect(body.queued).toBe(REPOSITORIES);
  const verified = await api.call(`POST integrations/${id}/verify`);
  expect(verified.body).toMatchObject({ status: 'paused', scans: { queued: REPOSITORIES, running: 0 } });
  const before: string = verified.body.lastVerifiedAt;
  expect((await patch({ paused: false })).body.status).toBe('active');
  await awaitUntil(async () => (await read()).lastVerifiedAt > before);
  await settled();
  expect(await kinds()).toEqual(expect.arrayContaining(['integration.paused', 'integration.resumed']));
});

test('pausing twice stores one event', async () => {
  const { length: before } = (await kinds()).filter((kind: string) => kind === 'integration.paused');
  await patch({ paused: true });
  await patch({ paused: true });
  expect((await kinds()).filter((kind: string) => kind === 'integration.paused')).toHaveLength(before + 1);
  await patch({ paused: false });
});

test.each([
  [{ name: '' }, 400],
  [{ status: 'active' }, 400],
  [{ token: 'x' }, 400],
  [{ filters: { include: [''] } }, 400],
  [{ expiresAt: 'soon' }, 400],
])('a change to %j is %d', async (json, status) => {
  expect((await patch(json)).status).toBe(status);
});

test('an expiry date that GitLab reports cannot be set, and a date must be within a year', async () => {
  await begin();
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  for (const days of [0, 366, 30]) {
    const answer = await patch({ expiresAt: inDays(days) });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  }
  await world.db.query(
    `update credential set expiry_known = false, expires_on = null where integration_id = $1`,
    [id],
  );
  expect((await read()).token.expiry.state).toBe('unknown');
  const { body } = await patch({ expiresAt: inDays(30) });
  expect(body.token).toMatchObject({ expiresAt: inDays(30), expiry: { daysLeft: 30 } });
});

test('autoRotate requires an administrator and a token that can rotate', async () => {
  const json = { autoRotate: { enabled: true, daysBefore: 10 } };
  expect((await patch(json)).status).toBe(403);
  const refused = await patch(json, 'admin');
  expect([refused.status, refused.body.code]).toEqual([422, 'rotation_not_possible']);
  const stored = await patch({ autoRotate: { enabled: false, daysBefore: 10 } }, 'admin');
  expect(stored.body.autoRotate).toEqual({ enabled: false, daysBefore: 10 });
});

test('verify answers with the current verdict', async () => {
  const before = await read();
  const again = await api.call(`POST integrations/${id}/verify`, { as: 'operator' });
  expect(again.status).toBe(200);
  expect(again.body.status).toBe('active');
  expect(again.body.lastVerifiedAt > before.lastVerifiedAt).toBe(true);
});

test('an outage leaves the status active and sets reachability to unreachable', async () => {
  await world.simulator.control.down();
  const answer = await api.call(`POST integrations/${id}/verify`);
  await world.simulator.control.up();
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    status: 'active',
    cause: null,
    reachability: { state: 'unreachable', cause: 'gitlab_unreachable' },
  });
  const back = await api.call(`POST integrations/${id}/verify`);
  expect(back.body.reachability).toMatchObject({ state: 'reachable', cause: null });
});

test('sync joins an open sync and lists new repositories', async () => {
  await patch({ paused: true }); // so that it waits
  const first = await api.call(`POST integrations/${id}/sync`, { as: 'operator' });
  expect(first.status).toBe(202);
  const second = await api.call(`POST integrations/${id}/sync`, { json: {} });
  expect(second.body).toEqual(first.body);
  expect((await read()).sync.state).toBe('waiting');
  await patch({ paused: false });
  await awaitUntil(async () => (await read()).sync.state === 'idle');
  const { body } = await api.call(`GET integrations/${id}/syncs`);
  expect(body.items[0]).toMatchObject({
    id: first.body.syncId,
    state: 'done',
    complete: true,
    trigger: 'manual',
  });
  expect((await api.call(`POST integrations/${id}/sync`)).body.syncId).not.toBe(first.body.syncId);
});

test('only an administrator releases the brake', async () => {
  const json = { acceptRemovals: true };
  expect((await api.call(`POST integrations/${id}/sync`, { as: 'operator', json })).status).toBe(403);
  expect((await api.call(`POST integrations/${id}/sync`, { as: 'admin', json })).status).toBe(202);
});

test('scan queues and runs every repository once', async () => {
  const { status, body } = await api.call(`POST integrations/${id}/scan`, {
    as: 'operator',
    json: { full: true },
  });
  expect([status, body]).toEqual([202, { queued: REPOSITORIES }]);
  await settled();
  const full = await world.db.query(
    `select count(*)::int as count from scan where integration_id = $1 and history = 'full' and status = 'succeeded'`,
    [id],
  );
  expect(full).toEqual([{ count: REPOSITORIES }]);
});

test('the token of a deleted integration can be integrated again', async () => {
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const json = { provider: 'gitlab', type: 'git', token };
  const first = await api.call('POST integrations', { json });
  await api.call(`DELETE integrations/${first.body.id}`);
  const second = await api.call('POST integrations', { json });
  expect(second.status).toBe(201);
  expect(second.body.id).not.toBe(first.body.id);
});

test('a token revoked while active is verified twice, then invalid, with advice', async () => {
  await begin();
  world.simulator.control.revokeToken(tokenId);
  const first = await api.call(`POST integrations/${id}/verify`);
  expect([200, 202]).toContain(first.status);
  const invalid = await awaitUntil(async () => {
    const observed = await read();
    return observed.status === 'invalid' ? observed : null;
  });
  expect(invalid).toMatchObject({ cause: 'token_revoked', token: { gitlabTokenId: tokenId } });
  expect(invalid.advice).toMatch(/.{20,}/);
  expect(await kinds()).toContain('integration.invalid');
});

test('integrations can be filtered by status and name', async () => {
  await patch({ paused: true, name: `Needle ${id}` });
  const ids = async (query: string) =>
    (await api.call(`GET integrations?${query}`)).body.items.map((one: { id: string }) => one.id);
  expect(await ids('status=paused,invalid&limit=200')).toContain(id);
  expect(await ids('status=active&limit=200')).not.toContain(id);
  expect(await ids(`q=${encodeURIComponent(`needle ${id}`)}`)).toEqual([id]);
});

test('a deleted integration is 404 everywhere at once, its token is wiped, its rows are removed', async () => {
  await begin();
  const { body: page } = await api.call(`GET integrations/${id}/repositories?limit=1`);
  const repositoryId: string = page.items[0].id;
  const scanId: string = page.items[0].lastScan.id;
  const sealed = () =>
    world.db.query(
      `select 1 from credential where integration_id = $1 and (sealed is not null or token_hash is not null)`,
      [id],
    );
  expect(await sealed()).toHaveLength(1);
  const answer = await api.call(`DELETE integrations/${id}`);
  expect([answer.status, answer.text]).toEqual([204, '']);
  expect(await sealed()).toEqual([]);
  const paths = [
    `GET integrations/${id}`,
    `DELETE integrations/${id}`,
    `POST integrations/${id}/verify`,
    `POST integrations/${id}/sync`,
    `POST integrations/${id}/scan`,
    `GET integrations/${id}/repositories`,
    `GET integrations/${id}/events`,
    `GET integrations/${id}/syncs`,
    `GET repositories/${repositoryId}`,
    `GET repositories/${repositoryId}/scans`,
    `POST repositories/${repositoryId}/scan`,
    `GET scans/${scanId}`,
  ] as const;
  const statuses = await Promise.all(paths.map(async (path) => [path, (await api.call(path)).status]));
  expect(statuses).toEqual(paths.map((path) => [path, 404]));
  expect((await patch({ paused: true })).status).toBe(404);
  await awaitUntil(
    async () => (await world.db.query('select 1 from integration where id = $1', [id])).length === 0,
  );
  const { body: events } = await api.call('GET events?kind=integration.removed&limit=1');
  expect(events.items[0]).toMatchObject({ integrationId: id, actor: 'key:the admin' });
});
