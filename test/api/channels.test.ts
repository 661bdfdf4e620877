import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { awaitUntil } from '../../harness/await-until.ts';
import { DEFAULT_CHANNEL_EVENTS } from '../../src/domain/channel.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { flagEvent, startTelling } from '../support/channels.ts';
import { addIntegration } from '../support/integration.ts';
import type { HttpReceiver } from '../support/receivers.ts';
import { httpReceiver } from '../support/receivers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const NOBODY = 'chn_01JG0000000000000000000000';
const PATH = ['a', 'path', 'nobody', 'sees'].join('-');
let world: TestWorld;
let api: TestApi;
let receiver: HttpReceiver;
let integrationId: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
  receiver = await httpReceiver();
  world.onClose(() => receiver.close());
  const { token } = world.simulator.control.createToken({});
  integrationId = (await addIntegration(world, { token, name: 'Shop', wake: false })).integrationId;
});
afterAll(async () => {
  await world.close();
});

const create = (json: Record<string, unknown>, headers: Record<string, string> = {}) =>
  api.call('POST channels', { json: { name: 'Ops', ...json }, headers });
const webhook = (json: Record<string, unknown> = {}) =>
  create({ kind: 'webhook', url: `${receiver.url}/${PATH}?k=v`, ...json });
const audit = async () =>
  (await api.call('GET events?limit=200')).body.items.filter(({ kind }: { kind: string }) =>
    kind.startsWith('channel.'),
  );

describe('a new channel', () => {
  test('shows its signing secret once, its URL never, and subscribes to the default events', async () => {
    const created = await webhook();
    expect(created.status).toBe(201);
    expect(created.headers.get('Location')).toBe(`/api/v1/channels/${created.body.id}`);
    expect(created.body).toEqual({
      id: expect.stringMatching(/^chn_[0-9A-Z]{26}$/),
      kind: 'webhook',
      name: 'Ops',
      enabled: true,
      offCause: null,
      url: receiver.url,
      to: null,
      events: [...DEFAULT_CHANNEL_EVENTS],
      integrationIds: null,
      minSeverity: null,
      lastDelivery: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      signingSecret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    const { signingSecret, ...shown } = created.body;
    expect((await api.call(`GET channels/${created.body.id}`)).body).toEqual(shown);
    const listed = await api.call('GET channels?limit=200');
    expect(listed.body.items).toContainEqual(shown);
    const [row] = await world.db.query('select * from channel where id = $1', [created.body.id]);
    const everything =
      JSON.stringify(row) + listed.text + world.logged.join('') + JSON.stringify(await audit());
    for (const secret of [PATH, signingSecret]) expect(everything).not.toContain(secret);
    for (const name of ['url_sealed', 'signing_sealed']) expect(String(row?.[name])).not.toContain(PATH);
  });

  test('for Slack or email has no signing secret', async () => {
    const slack = await create({ kind: 'slack', url: receiver.url });
    expect([slack.status, slack.body.signingSecret]).toEqual([201, undefined]);
    const mail = await create({
      kind: 'email',
      to: 'team@example.com',
      events: ['scan.failed', 'scan.failed'],
    });
    expect([mail.status, mail.body.to, mail.body.url, mail.body.events]).toEqual([
      201,
      'team@example.com',
      null,
      ['scan.failed'],
    ]);
  });

  test('is created once per idempotency key, and the repeated answer has no secret', async () => {
    const headers = { 'Idempotency-Key': 'channel-once' };
    const json = { kind: 'webhook', url: receiver.url };
    const [first, again] = [await create(json, headers), await create(json, headers)];
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    expect(again.body.signingSecret).toBeUndefined();
  });

  test.each([
    ['no kind', { url: 'https://example.com' }, 'kind'],
    ['a kind that there is not', { kind: 'pigeon', url: 'https://example.com' }, 'kind'],
    ['a webhook without address', { kind: 'webhook' }, 'url'],
    ['an address that is none', { kind: 'slack', url: 'hooks.example.com' }, 'url'],
    ['another protocol', { kind: 'slack', url: 'ftp://example.com/x' }, 'url'],
    ['a user in the address', { kind: 'slack', url: 'https://me:x@example.com/' }, 'url'],
    ['a fragment', { kind: 'slack', url: 'https://example.com/#x' }, 'url'],
    ['a recipient that is none', { kind: 'email', to: 'nobody' }, 'to'],
    ['a recipient with a second header', { kind: 'email', to: 'a@example.com\r\nBcc: b@example.com' }, 'to'],
    ['two recipients in one', { kind: 'email', to: 'a@example.com,b@example.com' }, 'to'],
    ['an unknown event', { kind: 'email', to: 'a@example.com', events: ['scan.danced'] }, 'events.0'],
    ['its own messages', { kind: 'email', to: 'a@example.com', events: ['notification.failed'] }, 'events.0'],
    ['audit events', { kind: 'email', to: 'a@example.com', events: ['api_key.created'] }, 'events.0'],
    ['no event at all', { kind: 'email', to: 'a@example.com', events: [] }, 'events'],
    ['an unknown severity', { kind: 'email', to: 'a@example.com', minSeverity: 'urgent' }, 'minSeverity'],
    ['a field of its own', { kind: 'email', to: 'a@example.com', secret: 'x' }, ''],
    ['a name of two lines', { kind: 'email', to: 'a@example.com', name: 'a\nb' }, 'name'],
  ])('is refused with %s', async (_what, json, path) => {
    const refused = await create(json);
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
    expect(refused.body.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test('is refused for an unknown integration', async () => {
    const refused = await webhook({ integrationIds: ['int_01JG0000000000000000000000'] });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
    expect((await webhook({ integrationIds: [integrationId] })).status).toBe(201);
  });

  test('is refused for a forbidden address, naming the setting that would allow it', async () => {
    const refused = await webhook({ url: 'http://10.11.12.13:8080/in' });
    expect([refused.status, refused.body.code]).toEqual([422, 'origin_not_allowed']);
    expect(refused.body.settings).toEqual(['SECU_WEBHOOK_NETWORKS=10.11.12.13/32']);
    for (const url of [
      'https://169.254.169.254/latest',
      'https://[::ffff:a9fe:a9fe]/',
      'https://0x7f000001.1/',
    ])
      expect([url, [400, 422].includes((await webhook({ url })).status)]).toEqual([url, true]);
    const plain = await webhook({ url: 'http://93.184.215.14/in' });
    expect([plain.status, plain.body.detail]).toEqual([422, expect.stringContaining('use https')]);
  });

  test('is created when its host name does not resolve at the moment', async () => {
    expect((await webhook({ url: 'https://hooks.nowhere.invalid/x' })).status).toBe(201);
  });

  test('for email is refused while no mail server is configured', async () => {
    api.deps.settings.mail = false;
    const refused = await create({ kind: 'email', to: 'a@example.com' });
    api.deps.settings.mail = true;
    expect([refused.status, refused.body.code]).toEqual([422, 'mail_not_configured']);
  });
});

describe('a channel', () => {
  test('changes only the given fields; a new URL is sealed again', async () => {
    const { body: created } = await webhook({ minSeverity: 'high', integrationIds: [integrationId] });
    const sealed = () =>
      world.db.query('select url_sealed, url_version from channel where id = $1', [created.id]);
    const [before] = await sealed();
    const named = await api.call(`PATCH channels/${created.id}`, {
      json: { name: 'Night', minSeverity: null, integrationIds: null, events: ['finding.opened'] },
    });
    expect(named.status).toBe(200);
    expect(named.body).toMatchObject({
      name: 'Night',
      minSeverity: null,
      integrationIds: null,
      events: ['finding.opened'],
      url: receiver.url,
      enabled: true,
    });
    expect(await sealed()).toEqual([before]);
    const moved = await api.call(`PATCH channels/${created.id}`, {
      json: { url: `${receiver.url}/other-${PATH}` },
    });
    expect([moved.status, moved.text.includes(PATH)]).toEqual([200, false]);
    const [after] = await sealed();
    expect(after).toMatchObject({ url_version: 2 });
    expect(after?.['url_sealed']).not.toEqual(before?.['url_sealed']);
  });

  test('refuses a recipient for a URL channel, and is validated like a new one', async () => {
    const { body: created } = await webhook();
    const patch = (json: unknown) => api.call(`PATCH channels/${created.id}`, { json });
    expect((await patch({ to: 'a@example.com' })).status).toBe(400);
    expect((await patch({ kind: 'slack' })).status).toBe(400);
    expect((await patch({ url: 'http://10.11.12.13/' })).body.code).toBe('origin_not_allowed');
    expect((await api.call(`PATCH channels/${NOBODY}`, { json: { name: 'x' } })).status).toBe(404);
  });

  test('that is switched off cancels its queued deliveries', async () => {
    const { body: created } = await webhook();
    await world.database.transaction((tx) => tx.events.add([flagEvent(integrationId)], new Date()));
    await api.call(`PATCH channels/${created.id}`, { json: { enabled: false } });
    const owed = await api.call(`GET channels/${created.id}/deliveries`);
    expect(owed.body.items).toMatchObject([{ state: 'failed', cause: 'channel_off', attempts: 0 }]);
    const refused = await api.call(`POST channels/${created.id}/deliveries/${owed.body.items[0].id}/retry`);
    expect([refused.status, refused.body.code]).toEqual([409, 'channel_off']);
  });

  test('that is deleted is gone with its ciphertexts and deliveries', async () => {
    const { body: created } = await webhook();
    await world.database.transaction((tx) => tx.events.add([flagEvent(integrationId)], new Date()));
    expect((await api.call(`DELETE channels/${created.id}`)).status).toBe(204);
    for (const request of ['GET channels/', 'DELETE channels/'] as const)
      expect((await api.call(`${request}${created.id}`)).status).toBe(404);
    expect((await api.call(`GET channels/${created.id}/deliveries`)).status).toBe(404);
    expect(await world.db.query('select 1 from delivery where channel_id = $1', [created.id])).toEqual([]);
  });

  test('leaves audit events with actor and request id for administrators', async () => {
    const { body: created, headers } = await webhook({ name: 'Trail' });
    const [newest] = await audit();
    expect(newest).toMatchObject({
      kind: 'channel.created',
      actor: 'key:the admin',
      data: { channelId: created.id, requestId: headers.get('X-Request-Id') },
    });
    await api.call(`PATCH channels/${created.id}`, { json: { name: 'Trail 2' } });
    await api.call(`DELETE channels/${created.id}`);
    expect((await audit()).slice(0, 2).map(({ kind }: { kind: string }) => kind)).toEqual([
      'channel.removed',
      'channel.changed',
    ]);
    const observed = await api.call('GET events?limit=200', { as: 'operator' });
    expect(observed.text).not.toContain('channel.created');
  });

  test('counts as a user of its key', async () => {
    const before = await world.database.stores.keys.uses();
    await webhook();
    const after = await world.database.stores.keys.uses();
    expect((after[0]?.uses ?? 0) - (before[0]?.uses ?? 0)).toBe(2);
  });
});

describe('messages', () => {
  test('a test returns its result, and deliveries can be listed, filtered and resent', async () => {
    await world.db.query('delete from channel');
    startTelling(world);
    const { body: created } = await webhook();
    const tested = await api.call(`POST channels/${created.id}/test`);
    expect(tested.status).toBe(200);
    expect(tested.body).toMatchObject({
      channelId: created.id,
      kind: 'test',
      eventId: null,
      state: 'sent',
      status: 204,
      cause: null,
      advice: null,
      attempts: 1,
      nextTryAt: null,
    });
    receiver.answer = (response) => response.writeHead(500).end();
    const failed = await api.call(`POST channels/${created.id}/test`);
    expect(failed.body).toMatchObject({
      state: 'failed',
      status: 500,
      cause: 'receiver_failed',
      advice: expect.stringContaining('log'),
    });

    await world.database.transaction((tx) => tx.events.add([flagEvent(integrationId)], new Date()));
    const waiting = () => api.call(`GET channels/${created.id}/deliveries?state=queued`);
    await awaitUntil(async () => (await waiting()).body.items[0]?.cause === 'receiver_failed');
    const [owed] = (await waiting()).body.items;
    expect(owed).toMatchObject({ attempts: 1, integrationId, nextTryAt: expect.any(String) });
    receiver.answer = (response) => response.writeHead(200).end();
    const again = await api.call(`POST channels/${created.id}/deliveries/${owed.id}/retry`);
    expect([again.status, again.body.id]).toEqual([202, owed.id]);
    await awaitUntil(async () => (await waiting()).body.items.length === 0);
    const listed = await api.call(`GET channels/${created.id}/deliveries`);
    expect(
      listed.body.items.map(({ kind, state }: { kind: string; state: string }) => [kind, state]),
    ).toEqual([
      ['integration.expiry_flagged', 'sent'],
      ['test', 'failed'],
      ['test', 'sent'],
    ]);
    const repeats = receiver.posts.filter(({ headers }) => headers['webhook-id'] === owed.id);
    expect(repeats).toHaveLength(2);
    const verifier = new Webhook(created.signingSecret);
    for (const { body, headers } of receiver.posts) verifier.verify(body, headers as Record<string, string>);
    expect((await api.call(`GET channels/${created.id}`)).body.lastDelivery).toMatchObject({
      id: owed.id,
      state: 'sent',
      status: 200,
    });
    const events = await api.call(`GET integrations/${integrationId}/events`, { as: 'viewer' });
    expect(events.body.items.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining(['notification.sent', 'notification.failed', 'integration.expiry_flagged']),
    );
  });

  test('of an unknown channel are 404', async () => {
    const { body: created } = await webhook();
    expect((await api.call(`POST channels/${NOBODY}/test`)).status).toBe(404);
    expect((await api.call(`GET channels/${NOBODY}/deliveries`)).status).toBe(404);
    expect((await api.call(`GET channels/${created.id}/deliveries?state=lost`)).status).toBe(400);
    const missing = `POST channels/${created.id}/deliveries/dlv_01JG0000000000000000000000/retry` as const;
    expect((await api.call(missing)).status).toBe(404);
  });
});

describe('the overview', () => {
  const noChannelItems = async () =>
    (await api.call('GET overview')).body.attention.filter(
      ({ kind }: { kind: string }) => kind === 'no_channel',
    );

  test('warns about the missing channel only while there is none', async () => {
    await world.db.query('delete from channel');
    expect(await noChannelItems()).toMatchObject([
      { integrationId: null, text: expect.stringContaining('No channel') },
    ]);
    const { body: silent } = await webhook({ events: ['scan.failed'] });
    expect(await noChannelItems()).toHaveLength(1);
    await api.call(`PATCH channels/${silent.id}`, { json: { events: ['integration.expiry_flagged'] } });
    expect(await noChannelItems()).toEqual([]);
    await api.call(`PATCH channels/${silent.id}`, { json: { enabled: false } });
    expect(await noChannelItems()).toHaveLength(1);
  });

  test('names the integration whose expiry flags no channel sends', async () => {
    await world.db.query('delete from channel');
    const { token } = world.simulator.control.createToken({});
    const other = await addIntegration(world, { token, name: 'Other', wake: false });
    await webhook({ integrationIds: [integrationId] });
    expect(await noChannelItems()).toMatchObject([
      { integrationId: other.integrationId, text: expect.stringContaining('Other') },
    ]);
  });
});
