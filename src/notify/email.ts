import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { getCACertificates } from 'node:tls';
import { createTransport } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';
import type { Notice, SendOutcome } from '../domain/channel.ts';
import { escapeForeignText } from '../domain/finding.ts';
import { transportFailure } from './failure.ts';

/** The settings of the mail server. */
export interface MailSettings {
  /**
   * `smtp://` (STARTTLS if the server offers it; required with a user) or `smtps://`, with user and password in
   * the URL.
   */
  url: string;
  from: string;
  /** PEM roots in addition to those of Node. */
  caPem: string | null;
  timeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_SUBJECT_GRAPHEMES = 150;
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
const SIGN_IN_REFUSED = 535;

/**
 * Sends one mail over its own connection. The `Message-ID` contains the delivery's ID, so that a duplicate is
 * recognised.
 * @throws the signal's reason on abort
 */
export async function sendMail(
  settings: MailSettings,
  { to, notice, signal }: { to: string; notice: Notice; signal: AbortSignal },
): Promise<SendOutcome> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)]);
  let socket: Socket | null = null;
  try {
    socket = await connected({ ...serverOf(settings), signal: deadline });
    const transport = createTransport({ ...connectionOf(settings), getSocket: handOver(socket) });
    const info = await transport.sendMail(mailOf({ from: settings.from, to, notice }));
    return { sent: true, status: replyCodeOf(info.response) };
  } catch (err) {
    signal.throwIfAborted();
    if (deadline.aborted) return transportFailure(deadline.reason);
    return refusalOf(err) ?? transportFailure(withCodeOfSystem(err));
  } finally {
    socket?.destroy();
  }
}

/**
 * Opens a connection that the signal can close; nodemailer's own connections stay open until their timeouts. TLS
 * runs on top of it.
 */
async function connected(input: { host: string; port: number; signal: AbortSignal }): Promise<Socket> {
  const { host, port, signal } = input;
  const socket = connect({
    host,
    port,
    signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]),
  });
  await once(socket, 'connect');
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  return socket;
}

function handOver(connection: Socket): SMTPTransportOptions['getSocket'] {
  return (_options, callback) => callback(null, { connection });
}

function serverOf({ url }: MailSettings): { host: string; port: number; secure: boolean } {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: port === '' ? (secure ? 465 : 587) : Number(port), secure };
}

function connectionOf(settings: MailSettings) {
  const { caPem } = settings;
  const { username, password } = new URL(settings.url);
  const user = decodeURIComponent(username);
  const server = serverOf(settings);
  return {
    ...server,
    // a password is never sent unencrypted; without one, STARTTLS is used if it is offered
    requireTLS: !server.secure && user !== '',
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(password) } }),
    tls: {
      rejectUnauthorized: true,
      ...(caPem === null ? {} : { ca: [...getCACertificates('default'), caPem] }),
    },
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: CONNECT_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function mailOf({ from, to, notice }: { from: string; to: string; notice: Notice }) {
  const text = escapeForeignText(notice.text);
  const domain = /@([\w.-]+)>?\s*$/.exec(from)?.[1] ?? 'secu.invalid';
  return {
    from,
    to: { name: '', address: to },
    subject: `[Secu] ${subjectOf(text)}`,
    text: [
      text,
      '',
      notice.link,
      '',
      `Event: ${notice.kind}${notice.event === null ? '' : ` ${notice.event.id}`}`,
      `Time: ${notice.at.toISOString()}`,
      '',
    ].join('\n'),
    date: notice.at,
    messageId: `<${notice.id}@${domain}>`,
    // RFC 3834: suppresses automatic replies
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Secu-Event': notice.kind },
  };
}

/** Cuts between graphemes: never within an emoji, a flag or an accented letter. */
function subjectOf(text: string): string {
  const graphemes = [];
  for (const { segment } of GRAPHEMES.segment(text)) {
    if (graphemes.length === MAX_SUBJECT_GRAPHEMES) return `${graphemes.join('')}…`;
    graphemes.push(segment);
  }
  return text;
}

/** The server's refusal of sender, recipient or message. Codes from 500 are permanent (RFC 5321, 4.2.1). */
function refusalOf(err: unknown): SendOutcome | null {
  if (typeof err !== 'object' || err === null) return null;
  const { code, responseCode } = err as { code?: unknown; responseCode?: unknown };
  const status = typeof responseCode === 'number' ? responseCode : null;
  if (code === 'EAUTH' || status === SIGN_IN_REFUSED)
    return { sent: false, cause: 'mail_sign_in_failed', status, final: false };
  if (status === null || code === 'ETLS') return null;
  if (status >= 500) return { sent: false, cause: 'mail_refused', status, final: true };
  return { sent: false, cause: 'receiver_failed', status, final: false };
}

/** nodemailer reports every connection error as `ESOCKET` and puts the system's code into `originalCode`. */
function withCodeOfSystem(err: unknown): unknown {
  if (typeof err !== 'object' || err === null || !('originalCode' in err)) return err;
  return { code: err.originalCode };
}

function replyCodeOf(response: string | undefined): number | null {
  const code = /^\d{3}/.exec(response ?? '')?.[0];
  return code === undefined ? null : Number(code);
}
