import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { deliverHook, signatureOf } from '../../simulator/index.ts';
import { SecuError } from '../../src/domain/errors.ts';
import { HOOK_THROTTLE } from '../../src/domain/user.ts';
import type { NotedStarters } from '../activities/support.ts';
import { notedStarters } from '../activities/support.ts';
import { listed, seedIntegration, seedRepositories } from '../db/seed.ts';
import type { Answer, TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const SOON = { timeoutMs: 5_000 };
const PROJECT = 15;
const UNKNOWN = 'int_01JG0000000000000000000000';

let world: TestWorld;
let api: TestApi;
let starters: NotedStarters;
let integrationId: string;
let repositoryId: string;
let token: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  starters = notedStarters();
  api = await startApi(world, { starters, settings: { trustedProxies: ['127.0.0.1/32'] } });
});
afterAll(() => world.close());

beforeEach(async () => {
  await world.db.query('delete from sign_in_try');
  integrationId = await seedIntegration(world.database);
  [repositoryId = ''] = await seedRepositories(world.database, integrationId, [PROJECT, listed(16)]);
  token = (await createToken()).body.value;
  starters.wakes.length = 0;
});

const createToken = () => api.call(`POST integrations/${integrationId}/hook-token`);
const push = (own: Record<string, unknown> = {}) => ({
  object_kind: 'push',
  event_name: 'push',
  ref: 'refs/heads/main',
  project_id: PROJECT,
  project: { id: PROJECT, default_branch: 'main' },
  ...own,
});

interface Hook {
  id?: string;
  headers?: Record<string, string>;
  raw?: string;
}

function receive(body: unknown, { id = integrationId, headers, raw }: Hook = {}): Promise<Answer> {
  return api.call(`POST hooks/gitlab/${id}`, {
    as: null,
    raw: raw ?? JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...(headers ?? { 'X-Gitlab-Token': token }) },
  });
}

const scans = () =>
  world.db.query<{ repository_id: string; trigger: string; priority: number; status: string }>(
    'select repository_id, trigger, priority, status from scan where integration_id = $1 order by id',
    [integrationId],
  );

async function receiver() {
  const [row] = await world.db.query<{ last_at: Date | null; sync_due_at: Date | null }>(
    'select * from hook_receiver where integration_id = $1',
    [integrationId],
  );
  return row;
}

describe('the token', () => {
  test('is shown once, with the URL, and to administrators only', async () => {
    const answer = await createToken();
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      url: `${api.url}/api/v1/hooks/gitlab/${integrationId}`,
      value: expect.stringMatching(/^whsec_[\w+/]{43}=$/),
    });
    const shown = await api.call(`GET integrations/${integrationId}`);
    expect(shown.text).not.toContain(answer.body.value);
    expect(shown.body.hooks).toEqual({ lastAt: null, state: 'none' });
    expect((await api.call(`POST integrations/${integrationId}/hook-token`, { as: 'operator' })).status).toBe(
      403,
    );
    expect((await api.call(`POST integrations/${UNKNOWN}/hook-token`)).status).toBe(404);
    const stored = await world.db.query('select sealed::text from hook_receiver');
    expect(JSON.stringify(stored)).not.toContain(Buffer.from(answer.body.value).toString('hex'));
  });

  test('created again, the earlier one stops working; removed, webhooks are refused', async () => {
    const second = (await createToken()).body.value;
    expect((await receive(push())).status).toBe(401);
    const headers = { 'X-Gitlab-Token': second };
    expect((await receive(push(), { headers })).status).toBe(202);
    expect((await api.call(`DELETE integrations/${integrationId}/hook-token`)).status).toBe(204);
    expect((await receive(push(), { headers })).status).toBe(401);
    expect((await api.call(`DELETE integrations/${integrationId}/hook-token`)).status).toBe(404);
    const { body } = await api.call(`GET events?integrationId=${integrationId}`);
    expect(body.items.map(({ kind }: { kind: string }) => kind)).toEqual([
      'settings.hook_token_removed',
      'settings.hook_token_created',
      'settings.hook_token_created',
    ]);
  });

  test('is wiped with its integration', async () => {
    await api.call(`DELETE integrations/${integrationId}`);
    expect(await receiver()).toBeUndefined();
    expect((await receive(push())).status).toBe(401);
  });
});

describe('a webhook that is refused', () => {
  test('has the same answer and costs the same, whatever is wrong', async () => {
    let opened = 0;
    const counting = await startApi(world, {
      vault: {
        ...world.vault,
        unseal(input) {
          opened += 1;
          return world.vault.unseal(input);
        },
      },
    });
    const answers = [];
    for (const [id, headers] of [
      [integrationId, {}],
      [integrationId, { 'X-Gitlab-Token': `${token.slice(0, -2)}x=` }],
      [integrationId, { 'X-Gitlab-Token': '' }],
      [integrationId, { Authorization: `Bearer ${api.keys.admin}` }],
      [UNKNOWN, { 'X-Gitlab-Token': token }],
      ['none', { 'X-Gitlab-Token': token }],
    ] as const) {
      opened = 0;
      const { status, body } = await counting.call(`POST hooks/gitlab/${id}`, {
        as: null,
        json: push(),
        headers,
      });
      answers.push({ status, opened, ...body, requestId: null });
    }
    expect(answers[0]).toMatchObject({ status: 401, code: 'unauthenticated', opened: 1 });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await scans()).toEqual([]);
    expect(await receiver()).toMatchObject({ last_at: null });
  });

  test('is throttled by address, and never delays one with the token', async () => {
    const from = { 'X-Forwarded-For': '192.0.2.7' };
    for (let tries = 0; tries < HOOK_THROTTLE.freeAttempts; tries += 1)
      expect((await receive(push(), { headers: from })).status).toBe(401);
    await awaitUntil(async () => (await receive(push(), { headers: from })).status === 429);
    const limited = await receive(push(), { headers: from });
    expect(limited.headers.get('Retry-After')).toMatch(/^\d+$/);
    expect((await receive(push(), { headers: { ...from, 'X-Gitlab-Token': token } })).status).toBe(202);
  });
});

describe('a signature', () => {
  const raw = JSON.stringify(push());
  const id = 'f5e57190-4f6d-4e1d-a4a0-cd4f5ca1c8e2';
  const nowSeconds = () => Math.floor(Date.now() / 1_000);

  function signed({ by = token, at = nowSeconds(), body = raw, more = '' } = {}) {
    const timestamp = String(at);
    const signature = `${more}${signatureOf({ token: by, id, timestamp, body })}`;
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  }

  test('replaces the token', async () => {
    expect((await receive(null, { raw, headers: signed() })).status).toBe(202);
    expect(await scans()).toHaveLength(1);
    const rotating = signed({ more: 'v1,bm90IHRoaXMgb25l ' });
    expect((await receive(null, { raw, headers: rotating })).status).toBe(202);
  });

  test.each<[string, () => Record<string, string>]>([
    ['with another key', () => signed({ by: `whsec_${Buffer.alloc(32).toString('base64')}` })],
    ['over another body', () => signed({ body: `${raw} ` })],
    ['that is older than five minutes', () => signed({ at: nowSeconds() - 301 })],
    ['from the future', () => signed({ at: nowSeconds() + 310 })],
    ['without an id', () => ({ ...signed(), 'webhook-id': '' })],
    ['of an odd time', () => ({ ...signed(), 'webhook-timestamp': 'NaN' })],
  ])('%s is refused', async (_what, headers) => {
    expect((await receive(null, { raw, headers: headers() })).status).toBe(401);
    expect(await scans()).toEqual([]);
  });
});

describe('a push', () => {
  test('queues one urgent scan of that repository, however often it is announced', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => receive(push())));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(await scans()).toEqual([
      { repository_id: repositoryId, trigger: 'hook', priority: 2, status: 'queued' },
    ]);
    await awaitUntil(() => starters.wakes.includes(`fleet ${integrationId}`), SOON);
    expect(starters.wakes).toEqual([`fleet ${integrationId}`]);
    const { body } = await api.call(`GET integrations/${integrationId}`);
    expect(body.hooks).toEqual({ lastAt: expect.any(String), state: 'receiving' });
  });

  test('makes a waiting scan more urgent', async () => {
    const now = new Date();
    const { queue } = world.database.stores.scans;
    await queue({ repositoryIds: [repositoryId], trigger: 'created', history: 'none', now });
    await receive(push());
    expect(await scans()).toMatchObject([{ trigger: 'created', priority: 2 }]);
    await awaitUntil(() => starters.wakes.includes(`fleet ${integrationId}`), SOON);
  });

  test('does not delay a scan that a person requested', async () => {
    await api.call(`POST repositories/${repositoryId}/scan`);
    await receive(push());
    expect(await scans()).toMatchObject([{ trigger: 'manual', priority: 1 }]);
  });

  test('while a scan runs is recorded until the next attempt begins', async () => {
    const { scans: store } = world.database.stores;
    await receive(push());
    const [{ id } = { id: '' }] = await world.db.query<{ id: string }>(
      'select id from scan where integration_id = $1',
      [integrationId],
    );
    await store.begin({ id, now: new Date() });
    expect(await store.find(id)).toMatchObject({ again: false });
    await receive(push());
    expect(await store.find(id)).toMatchObject({ again: true, status: 'running' });
    await store.begin({ id, now: new Date() });
    expect(await store.find(id)).toMatchObject({ again: false });
  });

  test('to a branch that is not watched, or to a project of another integration, queues nothing', async () => {
    await receive(push({ ref: 'refs/heads/feature' }));
    const other = await seedIntegration(world.database);
    await seedRepositories(world.database, other, [999]);
    await receive(push({ project_id: 999 }));
    expect(await scans()).toEqual([]);
    const foreign = await world.db.query('select 1 from scan where integration_id = $1', [other]);
    expect(foreign).toEqual([]);
  });

  test.each([
    ['a tag', push({ object_kind: 'tag_push', event_name: 'tag_push', ref: 'refs/tags/v1' })],
    ['a system hook of several refs', { event_name: 'repository_update', project_id: PROJECT, refs: [] }],
    [
      'a merge',
      { object_kind: 'merge_request', project: { id: PROJECT }, object_attributes: { action: 'merge' } },
    ],
  ])('%s queues a scan too', async (_what, body) => {
    expect((await receive(body)).status).toBe(202);
    expect(await scans()).toMatchObject([{ trigger: 'hook' }]);
  });
});

describe('a change of projects', () => {
  test.each([
    ['an unknown project', push({ project_id: 4_711 })],
    ['a new project', { event_name: 'project_create', project_id: 4_711 }],
    ['a renamed project', { event_name: 'project_rename', project_id: PROJECT }],
    ['a moved project', { event_name: 'project_transfer', project_id: PROJECT }],
    ['a changed project', { event_name: 'project_update', project_id: PROJECT }],
  ])('%s asks for one sync soon', async (_what, body) => {
    await Promise.all([receive(body), receive(body), receive(body)]);
    const due = (await receiver())?.sync_due_at?.getTime() ?? 0;
    expect(due - Date.now()).toBeLessThan(6_000);
    const hinted = await world.database.stores.hooks.hintedProjects(integrationId);
    expect(hinted).toMatchObject([{ gitlabProjectId: body.project_id }]);
    expect(await scans()).toEqual([]);
    await awaitUntil(() => starters.wakes.includes(`integration ${integrationId}`), SOON);
    expect(starters.wakes).toEqual([`integration ${integrationId}`]);
  });

  test('asks again only after a minute; unknown projects after ten', async () => {
    const started = new Date();
    await receive(push({ project_id: 4_711 }));
    await world.database.stores.hooks.syncStarted({ integrationId, now: started });
    await receive(push({ project_id: 4_711 }));
    const minutes = async () =>
      Math.round(((await receiver())?.sync_due_at?.getTime() ?? 0) - started.getTime()) / 60_000;
    expect(await minutes()).toBe(10);
    await receive({ event_name: 'project_create', project_id: 4_711 });
    expect(await minutes()).toBe(1);
  });

  test('a deleted project makes the next sync a complete one', async () => {
    await world.db.query('update integration set last_full_sync_at = now() where id = $1', [integrationId]);
    await receive({ event_name: 'project_destroy', project_id: PROJECT });
    expect((await world.database.stores.integrations.find(integrationId))?.lastFullSyncAt).toBeNull();
    expect(await receiver()).toMatchObject({ sync_due_at: null });
  });
});

describe('limits', () => {
  test('hints over the limit of a minute become one sync, and GitLab gets no error', async () => {
    await receive({});
    await world.db.query('update hook_receiver set window_hints = 600 where integration_id = $1', [
      integrationId,
    ]);
    expect((await receive(push())).status).toBe(202);
    expect(await scans()).toEqual([]);
    expect((await receiver())?.sync_due_at).not.toBeNull();
    await world.db.query(
      `update hook_receiver set window_started_at = now() - interval '61 seconds' where integration_id = $1`,
      [integrationId],
    );
    await receive(push());
    expect(await scans()).toHaveLength(1);
  });

  test('a body that is too large to be parsed is a hint to list what was active', async () => {
    const large = JSON.stringify(push({ commits: 'x'.repeat(3_000_000) }));
    expect((await receive(null, { raw: large })).status).toBe(202);
    expect(await scans()).toEqual([]);
    expect((await receiver())?.sync_due_at).not.toBeNull();
  });

  test('a body over the limit of GitLab is refused', async () => {
    const answer = await receive(null, { raw: 'x'.repeat(26 * 1_048_576) });
    expect(answer.status).toBe(413);
  });

  test.each([
    ['an unknown event', JSON.stringify({ event_name: 'user_create', project_id: PROJECT })],
    ['a list', '[1, 2]'],
    ['a number', '7'],
    ['no body', ''],
    ['a negative id', JSON.stringify(push({ project_id: -1, project: null }))],
    ['a fraction as id', JSON.stringify(push({ project_id: 1.5, project: { id: '15' } }))],
    ['the name of a method', JSON.stringify({ event_name: 'constructor', project_id: PROJECT })],
    ['deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('%s is received and queues no scan', async (_what, raw) => {
    expect((await receive(null, { raw })).status).toBe(202);
    expect(await scans()).toEqual([]);
    expect((await receiver())?.last_at).not.toBeNull();
  });

  test('one odd field does not hide the others', async () => {
    await receive(push({ ref: 7, project: 'odd', object_attributes: [] }));
    expect(await scans()).toHaveLength(1);
  });
});

describe('outages', () => {
  test('while Temporal is away, the answer comes at once, and the wake stays', async () => {
    const away = await startApi(world, {
      starters: {
        ...starters,
        // no answer, until its deadline of some seconds
        wakeFleet: () => new Promise(() => {}),
      },
    });
    const url = `${away.url}/api/v1/hooks/gitlab/${integrationId}`;
    const { status, durationMs } = await deliverHook({
      webhook: { url, token },
      event: 'Push Hook',
      body: JSON.stringify(push()),
    });
    expect(status).toBe(202);
    expect(durationMs).toBeLessThan(1_000);
    expect(await scans()).toHaveLength(1);
    const wakes = await world.db.query('select kind from outbox where integration_id = $1', [integrationId]);
    expect(wakes).toEqual([{ kind: 'wake_fleet' }]);
  });

  test('while the database is away, GitLab is told to try again', async () => {
    const { database } = world;
    const hooks = {
      ...database.stores.hooks,
      token: () => Promise.reject(new SecuError('database_unavailable', 'the database does not answer')),
    };
    const away = await startApi(world, {
      database: { ...database, stores: { ...database.stores, hooks } },
    });
    const answer = await away.call(`POST hooks/gitlab/${integrationId}`, { as: null, json: push() });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).not.toBeNull();
  });
});
