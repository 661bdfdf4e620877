import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { Secret } from '../../src/domain/secret.ts';
import type { HttpReceiver } from '../support/receivers.ts';
import { httpReceiver } from '../support/receivers.ts';
import type { TestCa } from '../support/test-ca.ts';
import { createTestCa } from '../support/test-ca.ts';
import type { Sending } from './support.ts';
import { NOTICE, never, SIGNING_SECRET, sending, webhookTo } from './support.ts';

const closing: { close(): Promise<void> }[] = [];
let ca: TestCa;
let receiver: HttpReceiver;

beforeAll(async () => {
  ca = await createTestCa();
});
afterAll(() => ca.remove());
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
});

async function world(options: Parameters<typeof sending>[0] = {}): Promise<Sending> {
  receiver = await httpReceiver();
  const created = sending(options);
  closing.push(receiver, created);
  return created;
}

const send = (from: Sending, url = `${receiver.url}/in?k=v`) =>
  from.notifier.send({ to: webhookTo(url), notice: NOTICE, signal: never });

test('the library of the standard verifies a webhook, and its body describes the event', async () => {
  const from = await world();
  expect(await send(from)).toEqual({ sent: true, status: 204 });
  const [post] = receiver.posts;
  expect(post?.path).toBe('/in?k=v');
  expect(post?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': NOTICE.id });
  const verified = new Webhook(SIGNING_SECRET).verify(
    post?.body ?? '',
    post?.headers as Record<string, string>,
  );
  expect(verified).toEqual({
    type: 'integration.expiry_flagged',
    timestamp: '2027-01-24T00:00:00.000Z',
    data: {
      eventId: NOTICE.event?.id,
      integrationId: NOTICE.event?.integrationId,
      repositoryId: null,
      text: NOTICE.text,
      link: NOTICE.link,
      details: { thresholdDays: 7 },
    },
  });
});

test('a changed or old body is not verified', async () => {
  const from = await world({ now: () => new Date(Date.now() - 6 * 60_000) });
  await send(from);
  const verify = (body: string) =>
    new Webhook(SIGNING_SECRET).verify(body, receiver.posts[0]?.headers as Record<string, string>);
  expect(() => verify(receiver.posts[0]?.body ?? '')).toThrow('too old');
  const fresh = await world();
  await send(fresh);
  expect(() => verify(`${receiver.posts[0]?.body} `)).toThrow('No matching signature');
});

test.each([
  [200, { sent: true, status: 200 }],
  [301, { sent: false, cause: 'redirected', status: 301, final: false }],
  [307, { sent: false, cause: 'redirected', status: 307, final: false }],
  [401, { sent: false, cause: 'receiver_refused', status: 401, final: false }],
  [404, { sent: false, cause: 'receiver_refused', status: 404, final: false }],
  [410, { sent: false, cause: 'receiver_gone', status: 410, final: true }],
  [429, { sent: false, cause: 'receiver_refused', status: 429, final: false }],
  [500, { sent: false, cause: 'receiver_failed', status: 500, final: false }],
  [503, { sent: false, cause: 'receiver_failed', status: 503, final: false }],
])('an answer of %d is %j, and no redirect is followed', async (status, outcome) => {
  const from = await world();
  receiver.answer = (response) => response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end();
  expect(await send(from)).toEqual(outcome);
  expect(receiver.posts.map(({ path }) => path)).toEqual(['/in?k=v']);
});

test('a receiver that answers late or only partially is limited by the timeout', async () => {
  const from = await world({ postTimeoutMs: 200 });
  receiver.answer = () => {};
  expect(await send(from)).toEqual({ sent: false, cause: 'timed_out', status: null, final: false });
  // an endless body is not read: only the status counts
  receiver.answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('x'.repeat(100_000));
  };
  expect(await send(from)).toEqual({ sent: true, status: 200 });
});

test('a refused connection, a cut one and a reply that is not HTTP are distinguished', async () => {
  const from = await world();
  receiver.answer = (response) => response.destroy();
  expect(await send(from)).toMatchObject({ sent: false, cause: 'connection_failed' });
  receiver.answer = (response) => response.socket?.end('220 mail.example.com ESMTP\r\n');
  expect(await send(from)).toMatchObject({ sent: false, cause: 'reply_unreadable' });
  const { url } = receiver;
  await receiver.close();
  closing.splice(closing.indexOf(receiver), 1);
  expect(await send(from, url)).toMatchObject({ sent: false, cause: 'connection_failed' });
});

test("private addresses and Secu's own are refused at connect time, whichever name leads there", async () => {
  const from = await world({ networks: [] });
  const port = new URL(receiver.url).port;
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::1]', '169.254.169.254']) {
    expect([host, await send(from, `http://${host}:${port}/`)]).toEqual([
      host,
      { sent: false, cause: 'address_refused', status: null, final: false },
    ]);
  }
  expect(receiver.posts).toEqual([]);
});

test('a name that does not resolve has its own cause', async () => {
  const from = await world();
  expect(await send(from, 'https://nowhere.invalid/')).toMatchObject({
    sent: false,
    cause: 'name_not_found',
  });
});

test('a certificate must be signed by a known root', async () => {
  const tls = await ca.issue({ names: ['127.0.0.1'] });
  const secure = await httpReceiver({ tls });
  closing.push(secure);
  const trusting = await world({ caPem: ca.caPem });
  expect(await send(trusting, secure.url)).toEqual({ sent: true, status: 204 });
  const strict = await world();
  expect(await send(strict, secure.url)).toMatchObject({ sent: false, cause: 'tls_failed' });
  expect(secure.posts).toHaveLength(1);
});

test('an aborted attempt throws and has no outcome', async () => {
  const from = await world();
  const stopping = new AbortController();
  receiver.answer = () => stopping.abort(new Error('stopping'));
  const to = webhookTo(receiver.url);
  await expect(from.notifier.send({ to, notice: NOTICE, signal: stopping.signal })).rejects.toThrow(
    'stopping',
  );
});

test('external text is harmless: control and direction characters are visible everywhere in a webhook', async () => {
  const from = await world();
  const notice = {
    ...NOTICE,
    text: 'a\u202eb\u0000',
    event: { id: 'evt_x', integrationId: null, repositoryId: null, data: { path: ['x\u0007'] } },
  };
  await from.notifier.send({ to: webhookTo(receiver.url), notice, signal: never });
  const { data } = JSON.parse(receiver.posts[0]?.body ?? '');
  expect(data).toMatchObject({ text: 'a\\u202eb\\u0000', details: { path: ['x\\u0007'] } });
});

test('Slack gets plain text: a name cannot add markup, links or mentions', async () => {
  const from = await world();
  receiver.answer = (response) => response.writeHead(200).end('ok');
  const notice = { ...NOTICE, text: '<!channel> @here & <https://evil.example|click> \u202e*bold*' };
  const to = {
    kind: 'slack' as const,
    signingSecret: null,
    url: new Secret(`${receiver.url}/services/T0/B0/x`),
  };
  expect(await from.notifier.send({ to, notice, signal: never })).toEqual({ sent: true, status: 200 });
  expect(JSON.parse(receiver.posts[0]?.body ?? '')).toEqual({
    text: `&lt;!channel&gt; @\u2060here &amp; &lt;https://evil.example|click&gt; \\u202e*bold*\n${NOTICE.link}`,
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
  });
  expect(receiver.posts[0]?.headers['webhook-signature']).toBeUndefined();
});
