import { getCACertificates } from 'node:tls';
import { createTransport } from 'nodemailer';
import type { Notice, SendOutcome } from '../domain/channel.ts';
import { escapeForeignText } from '../domain/finding.ts';
import { transportFailure } from './failure.ts';

/** How mail leaves. */
export interface MailSettings {
  /** `smtp://` (STARTTLS where the server offers it; always with a user) or `smtps://`, with user and password in it. */
  url: string;
  from: string;
  /** PEM roots beside those of Node. */
  caPem: string | null;
  timeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const LONGEST_SUBJECT = 150;
const SIGN_IN_REFUSED = 535;

/**
 * One mail over a connection of its own. The `Message-ID` is made from the delivery's id, so that a repeat is known.
 * @throws the signal's reason on abort
 */
export async function sendMail(
  settings: MailSettings,
  { to, notice, signal }: { to: string; notice: Notice; signal: AbortSignal },
): Promise<SendOutcome> {
  signal.throwIfAborted();
  const transport = createTransport(connectionOf(settings));
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)]);
  const cut = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason as Error), { once: true });
  });
  try {
    const info = await Promise.race([transport.sendMail(mailOf({ from: settings.from, to, notice })), cut]);
    return { sent: true, status: replyCodeOf(info.response) };
  } catch (err) {
    signal.throwIfAborted();
    return refusalOf(err) ?? transportFailure(withCodeOfSystem(err));
  } finally {
    transport.close();
  }
}

function connectionOf({ url, caPem }: MailSettings) {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const user = decodeURIComponent(username);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    // a password never travels in clear; without one, STARTTLS is used where it is offered
    requireTLS: !secure && user !== '',
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(password) } }),
    tls: {
      rejectUnauthorized: true,
      ...(caPem === null ? {} : { ca: [...getCACertificates('default'), caPem] }),
    },
    connectionTimeout: CONNECT_TIMEOUT_MS,
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
    subject: `[Secu] ${text.length > LONGEST_SUBJECT ? `${text.slice(0, LONGEST_SUBJECT)}…` : text}`,
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
    // RFC 3834: nobody's holiday answers a machine
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Secu-Event': notice.kind },
  };
}

/** What the server said of sender, recipient or message: from 500 on for good (RFC 5321, 4.2.1). */
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

/** nodemailer calls everything of the connection `ESOCKET`, and keeps what the system called it beside. */
function withCodeOfSystem(err: unknown): unknown {
  if (typeof err !== 'object' || err === null || !('originalCode' in err)) return err;
  return { code: err.originalCode };
}

function replyCodeOf(response: string | undefined): number | null {
  const code = /^\d{3}/.exec(response ?? '')?.[0];
  return code === undefined ? null : Number(code);
}
