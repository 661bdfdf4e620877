import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hashOfApiKey } from '../../src/api/middleware/authenticate.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

afterAll(async () => {
  await world.close();
});

const create = (json: unknown, headers: Record<string, string> = {}) =>
  api.call('POST api-keys', { json, headers });

test('a new key is shown once, with its Location, and has the access of its role', async () => {
  const created = await create({ name: '  CI  ', role: 'viewer' });
  expect(created.status).toBe(201);
  expect(created.headers.get('Location')).toBe(`/api/v1/api-keys/${created.body.id}`);
  expect(created.body).toEqual({
    id: expect.stringMatching(/^key_[0-9A-Z]{26}$/),
    name: 'CI',
    role: 'viewer',
    lastFour: created.body.value.slice(-4),
    source: 'api',
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    expiresAt: null,
    lastUsedAt: null,
    value: expect.stringMatching(/^secu_[\w-]{43}$/),
  });
  const headers = { Authorization: `Bearer ${created.body.value}` };
  expect((await api.call('GET integrations', { as: null, headers })).status).toBe(200);
  const listed = await api.call('GET api-keys?limit=200');
  expect(listed.text).not.toContain(created.body.value);
  expect(listed.body.items.find((key: { id: string }) => key.id === created.body.id)).toMatchObject({
    lastUsedAt: expect.any(String),
  });
});

test('only the hash of a key is stored', async () => {
  const { body } = await create({ name: 'hashed', role: 'viewer' });
  const [row] = await world.db.query('select * from api_key where id = $1', [body.id]);
  expect(JSON.stringify(row)).not.toContain(body.value);
  expect(row).toMatchObject({ hash: hashOfApiKey(body.value) });
});

test('a key can have an expiry date in the future', async () => {
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  expect((await create({ name: 'soon', role: 'viewer', expiresAt })).body.expiresAt).toBe(expiresAt);
  const past = await create({ name: 'past', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' });
  expect([past.status, past.body.code]).toEqual([400, 'invalid_request']);
});

test.each([
  [{ name: '', role: 'viewer' }],
  [{ name: 'x'.repeat(101), role: 'viewer' }],
  [{ name: 'a\u0007b', role: 'viewer' }],
  [{ name: 'x', role: 'owner' }],
  [{ name: 'x', role: 'viewer', expiresAt: 'tomorrow' }],
  [{ name: 'x', role: 'viewer', value: 'chosen by me' }],
])('%j is 400', async (json) => {
  expect((await create(json)).status).toBe(400);
});

test('a repeated idempotency key creates no second API key and does not show the value again', async () => {
  const headers = { 'Idempotency-Key': 'make-me-once' };
  const first = await create({ name: 'once', role: 'viewer' }, headers);
  const again = await create({ name: 'once', role: 'viewer' }, headers);
  expect(again.status).toBe(201);
  expect(again.headers.get('Location')).toBe(first.headers.get('Location'));
  const { value, ...rest } = first.body;
  expect(value).toBeDefined();
  expect(again.body).toEqual(rest);
  const [stored] = await world.db.query(
    `select response::text as text from idempotency_key where key = 'make-me-once'`,
  );
  expect(stored?.['text']).not.toContain(value);
});

test('creating and deleting a key are audit events with the actor and without the value', async () => {
  const { body } = await create({ name: 'audited', role: 'operator' });
  await api.call(`DELETE api-keys/${body.id}`);
  const { body: page } = await api.call('GET events?kind=api_key.created,api_key.removed&limit=2');
  expect(page.items.map((event: { kind: string; actor: string; data: unknown }) => event)).toMatchObject([
    { kind: 'api_key.removed', actor: 'key:the admin', data: { apiKeyId: body.id } },
    { kind: 'api_key.created', actor: 'key:the admin', data: { apiKeyId: body.id } },
  ]);
  expect(JSON.stringify(page)).not.toContain(body.value);
  const seenByViewer = await api.call('GET events?kind=api_key.created', { as: 'viewer' });
  expect(seenByViewer.body.items).toEqual([]);
});

test('a deleted key is gone: 204, then 404', async () => {
  const { body } = await create({ name: 'gone', role: 'viewer' });
  expect((await api.call(`DELETE api-keys/${body.id}`)).status).toBe(204);
  expect((await api.call(`DELETE api-keys/${body.id}`)).status).toBe(404);
});

test.each(['environment', 'cli'] as const)(
  'a key from %s cannot be deleted through the API',
  async (source) => {
    const value = `bootstrap-${source}-${'x'.repeat(32)}`;
    await world.database.stores.apiKeys.replaceManaged({
      source,
      name: 'managed',
      key: { hash: hashOfApiKey(value), lastFour: 'xxxx' },
      now: new Date(),
    });
    const headers = { Authorization: `Bearer ${value}` };
    const { body } = await api.call('GET api-keys?limit=200', { as: null, headers });
    const managed = body.items.find((key: { source: string }) => key.source === source);
    const answer = await api.call(`DELETE api-keys/${managed.id}`);
    expect([answer.status, answer.body.code]).toEqual([409, 'managed_by_environment']);
    expect((await api.call('GET overview', { as: null, headers })).status).toBe(200);
  },
);

test('keys are listed in pages', async () => {
  for (let index = 0; index < 3; index += 1) await create({ name: `page ${index}`, role: 'viewer' });
  const ids: string[] = [];
  for (let path: string | null = 'api-keys?limit=2'; path !== null; ) {
    const { body }: { body: { items: { id: string }[]; nextCursor: string | null } } = await api.call(
      `GET ${path}`,
    );
    ids.push(...body.items.map(({ id }) => id));
    path = body.nextCursor === null ? null : `api-keys?limit=2&cursor=${encodeURIComponent(body.nextCursor)}`;
  }
  expect(new Set(ids).size).toBe(ids.length);
  const whole = await api.call('GET api-keys?limit=200');
  expect(ids).toEqual(whole.body.items.map(({ id }: { id: string }) => id));
});
