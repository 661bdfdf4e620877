import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import { Webhook } from 'standardwebhooks';
import { awaitUntil } from '../../harness/await-until.ts';
import { newId } from '../../src/db/new-id.ts';
import type { Notifier } from '../../src/domain/channel.ts';
import type { NewEvent } from '../../src/domain/event.ts';
import { createActivityMetrics } from '../../src/metrics/activities.ts';
import { addChannel, flagEvent, SIGNING_SECRET, startTelling } from '../support/channels.ts';
import type { HttpReceiver } from '../support/receivers.ts';
import { httpReceiver, mailReceiver } from '../support/receivers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const PROGRAM = fileURLToPath(new URL('deliver-program.ts', import.meta.url));
let world: TestWorld;
let receiver: HttpReceiver;

beforeEach(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  receiver = await httpReceiver();
  world.onClose(() => receiver.close());
});
afterEach(() => world.close());

interface DeliveryRow extends Record<string, unknown> {
  id: string;
  state: string;
  attempts: number;
  failures: number;
  cause: string | null;
  status: number | null;
  waits_s: number;
}

const deliveries = () =>
  world.db.query<DeliveryRow>(
    `select *, extract(epoch from next_try_at - now())::float8 as waits_s from delivery order by id`,
  );

const only = async (): Promise<DeliveryRow> => {
  const rows = await deliveries();
  if (rows.length !== 1 || rows[0] === undefined) throw new Error(`${rows.length} deliveries`);
  return rows[0];
};

const happen = (event: NewEvent = flagEvent(newId('integration'))) =>
  world.database.transaction((tx) => tx.events.add([event], new Date()));

const ended = () => awaitUntil(async () => (await deliveries()).every(({ state }) => state !== 'queued'));
const failedOnce = () => awaitUntil(async () => (await deliveries()).every(({ failures }) => failures > 0));
const dueNow = () => world.db.query(`update delivery set next_try_at = now() where state = 'queued'`);

const reported = () =>
  world.db.query<{ kind: string; data: Record<string, unknown> }>(
    `select kind, text, data, integration_id from event where kind like 'notification.%' or kind like 'channel.%' order by seq`,
  );

test('one event reaches a signed webhook, a mail and a Slack message', async () => {
  const mail = await mailReceiver();
  world.onClose(() => mail.close());
  await addChannel(world, { url: `${receiver.url}/hook` });
  await addChannel(world, { kind: 'slack', url: `${receiver.url}/slack` });
  await addChannel(world, { kind: 'email', to: 'team@example.com' });
  const integrationId = newId('integration');
  await happen(flagEvent(integrationId));
  startTelling(world, {
    sender: { mail: { url: `smtp://127.0.0.1:${mail.port}`, from: 'secu@example.com', caPem: null } },
  });
  await ended();
  const link = `https://secu.example.com/integrations/${integrationId}`;
  const hook = receiver.posts.find(({ path }) => path === '/hook');
  const verified = new Webhook(SIGNING_SECRET).verify(
    hook?.body ?? '',
    hook?.headers as Record<string, string>,
  );
  expect(verified).toMatchObject({
    type: 'integration.expiry_flagged',
    data: { integrationId, link, details: { thresholdDays: 7 } },
  });
  expect(receiver.posts.find(({ path }) => path === '/slack')?.body).toContain('expires in 7 days');
  expect(mail.mails).toHaveLength(1);
  expect(mail.mails[0]?.raw).toContain('expires in 7 days');
  expect((await deliveries()).map(({ state, attempts }) => [state, attempts])).toEqual([
    ['sent', 1],
    ['sent', 1],
    ['sent', 1],
  ]);
  const events = await reported();
  expect(events.map(({ kind }) => kind)).toEqual(Array(3).fill('notification.sent'));
  expect(events[0]).toMatchObject({ integration_id: integrationId, data: { attempts: 1 } });
});

test('a failing receiver is retried with growing delays, the same ID and a new signature, and its channel shows the failure', async () => {
  const channelId = await addChannel(world, { url: receiver.url, name: 'Pager' });
  receiver.answer = (response) => response.writeHead(500).end();
  const registry = new Registry();
  await happen();
  startTelling(world, { metrics: createActivityMetrics(registry) });
  const pauses = [60, 300, 1_800, 7_200, 21_600, 54_000];
  for (const [index, pauseSeconds] of pauses.entries()) {
    await awaitUntil(async () => (await only()).failures === index + 1);
    const row = await only();
    expect(row).toMatchObject({
      state: 'queued',
      attempts: index + 1,
      cause: 'receiver_failed',
      status: 500,
    });
    expect(row.waits_s).toBeGreaterThan(pauseSeconds * 0.8 - 5);
    expect(row.waits_s).toBeLessThanOrEqual(pauseSeconds);
    await dueNow();
  }
  await ended();
  expect(await only()).toMatchObject({ state: 'failed', attempts: 7, cause: 'receiver_failed' });
  const ids = receiver.posts.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids)).toEqual(new Set([(await only()).id]));
  expect(ids).toHaveLength(7);
  for (const { body, headers } of receiver.posts)
    new Webhook(SIGNING_SECRET).verify(body, headers as Record<string, string>);
  const events = await reported();
  expect(events.map(({ kind, data }) => [kind, data['final'], data['attempts']])).toEqual([
    ['notification.failed', false, 1],
    ['notification.failed', true, 7],
  ]);
  expect(events[1]).toMatchObject({
    text: expect.stringMatching(/"Pager" could not be notified of integration\.expiry_flagged.*given up/),
    data: { channelId, cause: 'receiver_failed', status: 500 },
  });
  const counted = await registry.metrics();
  expect(counted).toContain('secu_deliveries_total{channel="webhook",outcome="failed"} 6');
  expect(counted).toContain('secu_deliveries_total{channel="webhook",outcome="given_up"} 1');
});

test('a receiver that recovers gets the missed deliveries', async () => {
  await addChannel(world, { url: receiver.url });
  receiver.answer = (response) => response.writeHead(503).end();
  await happen();
  startTelling(world);
  await failedOnce();
  receiver.answer = (response) => response.writeHead(200).end();
  await dueNow();
  await ended();
  expect(await only()).toMatchObject({ state: 'sent', attempts: 2, cause: null, status: 200 });
  expect((await reported()).map(({ kind }) => kind)).toEqual(['notification.failed', 'notification.sent']);
});

test('a receiver that answers 410 is disabled, its waiting deliveries are given up, and an event is published', async () => {
  const channelId = await addChannel(world, { url: receiver.url });
  await happen();
  await world.db.query(`update delivery set next_try_at = now() + interval '1 hour'`);
  await happen();
  receiver.answer = (response) => response.writeHead(410).end();
  startTelling(world);
  await ended();
  expect((await deliveries()).map(({ cause, attempts }) => `${cause} ${attempts}`).toSorted()).toEqual([
    'channel_off 0',
    'receiver_gone 1',
  ]);
  const [channel] = await world.db.query('select enabled, off_cause from channel where id = $1', [channelId]);
  expect(channel).toEqual({ enabled: false, off_cause: 'receiver_gone' });
  expect((await reported()).map(({ kind }) => kind)).toEqual(['notification.failed', 'channel.switched_off']);
  await happen();
  expect(await deliveries()).toHaveLength(2);
  expect(receiver.posts).toHaveLength(1);
});

test('two concurrent workers send each message once', async () => {
  await addChannel(world, { url: `${receiver.url}/a` });
  await addChannel(world, { url: `${receiver.url}/b` });
  receiver.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 20);
  for (let event = 0; event < 15; event += 1) await happen();
  startTelling(world);
  startTelling(world);
  startTelling(world);
  await ended();
  const ids = receiver.posts.map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(30);
  expect(new Set(ids).size).toBe(30);
  expect((await deliveries()).every(({ attempts }) => attempts === 1)).toBe(true);
}, 30_000);

test('the delivery of a killed worker is sent by another one after its lease has expired', async () => {
  await addChannel(world, { url: receiver.url });
  await happen();
  const claim = { limit: 10, perChannel: 4, leaseMs: 60_000 };
  const [taken] = await world.database.stores.deliveries.claim(claim);
  expect(taken?.attempt).toBe(1);
  // the first worker does not report its outcome
  expect(await world.database.stores.deliveries.claim(claim)).toEqual([]);
  await world.db.query(`update delivery set leased_until = now() - interval '1 second'`);
  startTelling(world);
  await ended();
  expect(await only()).toMatchObject({ state: 'sent', attempts: 2 });
  // the outcome of the first worker arrives late and is ignored
  const late = { id: taken?.id ?? '', attempt: 1 };
  expect(
    await world.database.stores.deliveries.failed({ ...late, cause: 'timed_out', status: null, pauseMs: 1 }),
  ).toBe(false);
  expect(await only()).toMatchObject({ state: 'sent', cause: null });
});

test('after the sending process is killed, another one sends the delivery under the same ID', async () => {
  await addChannel(world, { url: receiver.url });
  await happen();
  receiver.answer = () => {};
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', PROGRAM, world.databaseUrl, '3000'],
    {
      env: { PATH: process.env['PATH'], KEY_RING: world.keyRing },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  await awaitUntil(() => receiver.posts.length === 1, { what: 'the first attempt' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await only()).toMatchObject({ state: 'queued', attempts: 1, failures: 0 });
  receiver.answer = (response) => response.writeHead(204).end();
  startTelling(world);
  await ended();
  expect(await only()).toMatchObject({ state: 'sent', attempts: 2 });
  const [first, second] = receiver.posts.map(({ headers }) => headers['webhook-id']);
  expect([receiver.posts.length, second]).toEqual([2, first]);
}, 30_000);

test('stopping aborts a running attempt without counting a failure', async () => {
  await addChannel(world, { url: receiver.url });
  await happen();
  receiver.answer = () => {};
  const telling = startTelling(world);
  await awaitUntil(() => receiver.posts.length === 1);
  await telling.stop();
  expect(await only()).toMatchObject({ state: 'queued', failures: 0, attempts: 1, leased_until: null });
  receiver.answer = (response) => response.writeHead(204).end();
  startTelling(world);
  await ended();
  expect(new Set(receiver.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect((await reported()).map(({ kind }) => kind)).toEqual(['notification.sent']);
});

test('a hanging channel does not delay another one', async () => {
  const slow = await httpReceiver();
  world.onClose(() => slow.close());
  slow.answer = () => {};
  await addChannel(world, { url: slow.url });
  for (let event = 0; event < 30; event += 1) await happen();
  const fast = await addChannel(world, { url: receiver.url });
  await happen();
  startTelling(world);
  await awaitUntil(() => receiver.posts.length === 1);
  expect(slow.posts.length).toBeLessThanOrEqual(4);
  await awaitUntil(async () => {
    const [now] = await world.db.query('select state from delivery where channel_id = $1', [fast]);
    return now?.['state'] === 'sent';
  });
});

test('a test message has one attempt, also for a disabled channel', async () => {
  const channelId = await addChannel(world, { url: receiver.url });
  await world.database.stores.channels.change(channelId, { enabled: false }, new Date());
  receiver.answer = (response) => response.writeHead(404).end();
  await world.database.stores.deliveries.addTest({ channelId });
  startTelling(world);
  await ended();
  expect(await only()).toMatchObject({
    state: 'failed',
    attempts: 1,
    cause: 'receiver_refused',
    status: 404,
  });
  expect(JSON.parse(receiver.posts[0]?.body ?? '')).toMatchObject({ type: 'test', data: { eventId: null } });
});

test('a secret that cannot be decrypted, or data that was removed, is a failure with its cause, and the loop continues', async () => {
  const channelId = await addChannel(world, { url: receiver.url });
  await happen();
  await world.db.query('update channel set url_version = 2 where id = $1', [channelId]);
  startTelling(world);
  await failedOnce();
  expect(await only()).toMatchObject({ state: 'queued', cause: 'secret_unreadable' });
  await world.db.query('update channel set url_version = 1 where id = $1', [channelId]);
  await world.db.query(`delete from event where kind = 'integration.expiry_flagged'`);
  await dueNow();
  await ended();
  expect(await only()).toMatchObject({ state: 'failed', cause: 'event_removed' });
  expect(receiver.posts).toEqual([]);
});

test('an unexpected error of a sender is logged without the address, and the delivery is retried', async () => {
  await addChannel(world, { url: `${receiver.url}/a-secret-path` });
  await happen();
  const notifier: Notifier = {
    async send() {
      throw new TypeError('unforeseen');
    },
  };
  startTelling(world, { notifier });
  await failedOnce();
  expect(await only()).toMatchObject({ state: 'queued', cause: 'failed_unexpectedly' });
  const logged = world.logged.join('');
  expect(logged).toContain('unforeseen');
  expect(logged).not.toContain('a-secret-path');
});

test('a database error is logged and the loop continues', async () => {
  await addChannel(world, { url: receiver.url });
  await happen();
  await world.db.query('alter table delivery rename to delivery_away');
  startTelling(world);
  await awaitUntil(() => world.logged.some((line) => line.includes('could not read the waiting ones')));
  await world.db.query('alter table delivery_away rename to delivery');
  await ended();
  expect(receiver.posts).toHaveLength(1);
});

function findingsOf(scanId: string, count: number): NewEvent[] {
  const integrationId = newId('integration');
  return Array.from({ length: count }, (_, index) =>
    flagEvent(integrationId, {
      kind: 'finding.opened',
      text: `Rule ${index} was found in acme/shop.`,
      data: { severity: 'high', scanId },
    }),
  );
}

test('the findings of one scan are one Slack message, and one webhook each', async () => {
  const events: ['finding.opened'] = ['finding.opened'];
  await addChannel(world, { kind: 'slack', url: `${receiver.url}/slack`, events });
  await addChannel(world, { url: `${receiver.url}/hook`, events });
  const both = [...findingsOf('scn_one', 30), ...findingsOf('scn_other', 1)];
  await world.database.transaction((tx) => tx.events.add(both, new Date()));
  startTelling(world);
  await awaitUntil(async () => (await deliveries()).every(({ state }) => state === 'sent'), {
    timeoutMs: 20_000,
  });
  const slack = receiver.posts.filter(({ path }) => path === '/slack').map(({ body }) => body);
  expect(slack).toHaveLength(2);
  expect(slack.filter((body) => body.includes('This scan has 29 more events of this kind.'))).toHaveLength(1);
  expect(receiver.posts.filter(({ path }) => path === '/hook')).toHaveLength(31);
});

test('a receiver that limits itself to one message per second gets all of them, and none counts as failed', async () => {
  await addChannel(world, { kind: 'slack', url: receiver.url });
  let freeAtMs = 0;
  receiver.answer = (response) => {
    if (Date.now() < freeAtMs) return void response.writeHead(429, { 'retry-after': '1' }).end();
    freeAtMs = Date.now() + 1_000;
    return void response.writeHead(200).end();
  };
  for (let index = 0; index < 4; index += 1) await happen();
  startTelling(world);
  await awaitUntil(async () => (await deliveries()).every(({ state }) => state === 'sent'), {
    timeoutMs: 30_000,
  });
  expect((await deliveries()).map(({ failures }) => failures)).toEqual([0, 0, 0, 0]);
  expect((await reported()).map(({ kind }) => kind)).toEqual(Array(4).fill('notification.sent'));
});
