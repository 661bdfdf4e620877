import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Notice } from '../../src/domain/channel.ts';
import type { MailReceiver } from '../support/receivers.ts';
import { mailReceiver } from '../support/receivers.ts';
import type { TestCa } from '../support/test-ca.ts';
import { createTestCa } from '../support/test-ca.ts';
import { NOTICE, never, sending } from './support.ts';

const TO = 'platform-team@example.com';
const FROM = 'Secu <secu@example.com>';
const closing: { close(): Promise<void> }[] = [];
const password = ['pass', 'word', '@/:'].join('-');
let ca: TestCa;
let tls: { key: string; cert: string };

beforeAll(async () => {
  ca = await createTestCa();
  tls = await ca.issue({ names: ['127.0.0.1', 'localhost'] });
});
afterAll(() => ca.remove());
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
});

async function receiver(options: Parameters<typeof mailReceiver>[0] = {}): Promise<MailReceiver> {
  const created = await mailReceiver(options);
  closing.push(created);
  return created;
}

async function send(
  url: string,
  {
    notice = NOTICE,
    caPem = ca.caPem as string | null,
    mailTimeoutMs = 5_000,
  }: { notice?: Notice; caPem?: string | null; mailTimeoutMs?: number } = {},
) {
  const from = sending({ mail: { url, from: FROM, caPem }, mailTimeoutMs });
  closing.push(from);
  return from.notifier.send({ to: { kind: 'email', to: TO }, notice, signal: never });
}

function headersOf(raw: string): string[] {
  return (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ').split('\r\n');
}

const userInfo = `secu:${encodeURIComponent(password)}`;

test('a mail has its text, its link, and an ID that is the same in every attempt', async () => {
  const server = await receiver();
  expect(await send(`smtp://127.0.0.1:${server.port}`)).toEqual({ sent: true, status: 250 });
  await send(`smtp://127.0.0.1:${server.port}`);
  const [first, second] = server.mails;
  expect(first).toMatchObject({ from: 'secu@example.com', to: [TO], secure: false, user: null });
  const headers = headersOf(first?.raw ?? '');
  expect(headers).toContain(`To: ${TO}`);
  expect(headers).toContain(`Subject: [Secu] ${NOTICE.text}`);
  expect(headers).toContain(`Message-ID: <${NOTICE.id}@example.com>`);
  expect(headers).toContain('Auto-Submitted: auto-generated');
  expect(headersOf(second?.raw ?? '')).toContain(`Message-ID: <${NOTICE.id}@example.com>`);
  expect(first?.raw).toContain(NOTICE.link);
  expect(first?.raw).toContain(NOTICE.event?.id);
});

test('a long subject is cut between graphemes, never within an emoji', async () => {
  const server = await receiver();
  const flag = '\u{1F1E9}\u{1F1EA}';
  const text = `${'a'.repeat(149)}${flag}${flag}`;
  await send(`smtp://127.0.0.1:${server.port}`, { notice: { ...NOTICE, text } });
  const subject = headersOf(server.mails[0]?.raw ?? '').find((header) => header.startsWith('Subject:')) ?? '';
  const decoded = subject
    .replace(/\?= =\?UTF-8\?[QB]\?/gi, '')
    .replace(/=\?UTF-8\?B\?([^?]+)\?=/i, (_all, base64: string) =>
      Buffer.from(base64, 'base64').toString('utf8'),
    )
    .replace(/=\?UTF-8\?Q\?([^?]+)\?=/i, (_all, quoted: string) =>
      decodeURIComponent(
        quoted
          .replaceAll('_', ' ')
          .replace(/%/g, '%25')
          .replace(/=(\w\w)/g, '%$1'),
      ),
    );
  expect(decoded).not.toContain('\uFFFD');
  expect(decoded.endsWith(`a${flag}…`)).toBe(true);
});

test('STARTTLS works with a private root, and user and password are sent only over it', async () => {
  const server = await receiver({ tls, user: 'secu', password });
  expect(await send(`smtp://${userInfo}@127.0.0.1:${server.port}`)).toEqual({ sent: true, status: 250 });
  expect(server.mails).toMatchObject([{ secure: true, user: 'secu' }]);
});

test('TLS works from the first byte', async () => {
  const server = await receiver({ tls, implicit: true });
  expect(await send(`smtps://127.0.0.1:${server.port}`)).toEqual({ sent: true, status: 250 });
  expect(server.mails).toMatchObject([{ secure: true }]);
});

test('a certificate of an unknown authority is refused, over STARTTLS and TLS', async () => {
  const starttls = await receiver({ tls });
  const implicit = await receiver({ tls, implicit: true });
  for (const url of [`smtp://127.0.0.1:${starttls.port}`, `smtps://127.0.0.1:${implicit.port}`])
    expect([url, await send(url, { caPem: null })]).toEqual([
      url,
      { sent: false, cause: 'tls_failed', status: null, final: false },
    ]);
  expect([...starttls.mails, ...implicit.mails]).toEqual([]);
});

test('a password is never sent unencrypted: a server without STARTTLS gets neither it nor the mail', async () => {
  const server = await receiver({ user: 'secu', password });
  expect(await send(`smtp://${userInfo}@127.0.0.1:${server.port}`)).toMatchObject({
    sent: false,
    cause: 'tls_failed',
  });
  expect(server.mails).toEqual([]);
});

test('a refused sign-in, a permanent and a temporary refusal of the recipient are distinguished', async () => {
  const server = await receiver({ tls, user: 'secu', password: 'another' });
  expect(await send(`smtp://${userInfo}@127.0.0.1:${server.port}`)).toEqual({
    sent: false,
    cause: 'mail_sign_in_failed',
    status: 535,
    final: false,
  });
  const open = await receiver();
  open.refuseRecipients = 550;
  expect(await send(`smtp://127.0.0.1:${open.port}`)).toEqual({
    sent: false,
    cause: 'mail_refused',
    status: 550,
    final: true,
  });
  open.refuseRecipients = 451;
  expect(await send(`smtp://127.0.0.1:${open.port}`)).toEqual({
    sent: false,
    cause: 'receiver_failed',
    status: 451,
    final: false,
  });
  expect([...server.mails, ...open.mails]).toEqual([]);
});

test('a refused connection, an unknown name and a silent server are distinguished', async () => {
  const server = await mailReceiver();
  await server.close();
  expect(await send(`smtp://127.0.0.1:${server.port}`)).toMatchObject({ cause: 'connection_failed' });
  expect(await send('smtp://nowhere.invalid:25')).toMatchObject({ cause: 'name_not_found' });
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  closing.push({ close: async () => void silent.close() });
  const { port } = silent.address() as AddressInfo;
  expect(await send(`smtp://127.0.0.1:${port}`, { mailTimeoutMs: 300 })).toEqual({
    sent: false,
    cause: 'timed_out',
    status: null,
    final: false,
  });
});

test('no text can add a header', async () => {
  const server = await receiver();
  const notice = { ...NOTICE, text: 'Shop\r\nBcc: everybody@example.com\r\n\r\nfalse text \u202e' };
  expect(await send(`smtp://127.0.0.1:${server.port}`, { notice })).toMatchObject({ sent: true });
  const [mail] = server.mails;
  expect(mail?.to).toEqual([TO]);
  const headers = headersOf(mail?.raw ?? '');
  expect(headers.filter((line) => /^bcc:/i.test(line))).toEqual([]);
  expect(headers).toContain(
    'Subject: [Secu] Shop\\u000d\\u000aBcc: everybody@example.com\\u000d\\u000a\\u000d\\u000afalse text \\u202e',
  );
});

test('without a mail server no mail is sent, and the outcome says so', async () => {
  const from = sending();
  closing.push(from);
  expect(await from.notifier.send({ to: { kind: 'email', to: TO }, notice: NOTICE, signal: never })).toEqual({
    sent: false,
    cause: 'mail_not_configured',
    status: null,
    final: false,
  });
});
