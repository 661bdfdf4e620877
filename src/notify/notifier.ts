import type { Dispatcher } from 'undici';
import type { ChannelKind, DestinationOf, Notice, Notifier, SendOutcome } from '../domain/channel.ts';
import { SecuError } from '../domain/errors.ts';
import type { MailSettings } from './email.ts';
import { sendMail } from './email.ts';
import { sendToSlack } from './slack.ts';
import { sendWebhook } from './webhook.ts';

const POST_TIMEOUT_MS = 10_000;
const MAIL_TIMEOUT_MS = 45_000;

export interface NotifierOptions {
  /** Connects only to checked addresses. @throws SecuError `origin_not_allowed` */
  dispatcherFor: (url: URL) => Dispatcher;
  userAgent: string;
  /** `null`: no mail server is configured. */
  mail: Pick<MailSettings, 'url' | 'from' | 'caPem'> | null;
  now: () => Date;
  /** Shorter deadlines in tests. */
  postTimeoutMs?: number;
  mailTimeoutMs?: number;
}

type Send<Kind extends ChannelKind> = (
  options: NotifierOptions,
  message: { to: DestinationOf<Kind>; notice: Notice; signal: AbortSignal },
) => Promise<SendOutcome>;

/** How to send to each kind of channel. */
const SENDERS: { readonly [Kind in ChannelKind]: Send<Kind> } = {
  webhook: (options, { to, notice, signal }) => {
    const { url, signingSecret } = to;
    if (signingSecret === null) throw new SecuError('internal', 'a webhook without a signing secret');
    const secret = signingSecret.reveal();
    return sendWebhook(postDeps(options), { url: url.reveal(), signingSecret: secret, notice, signal });
  },
  slack: (options, { to, notice, signal }) =>
    sendToSlack(postDeps(options), { url: to.url.reveal(), notice, signal }),
  async email({ mail, mailTimeoutMs = MAIL_TIMEOUT_MS }, { to, notice, signal }) {
    if (mail === null) return { sent: false, cause: 'mail_not_configured', status: null, final: false };
    return sendMail({ ...mail, timeoutMs: mailTimeoutMs }, { to: to.to, notice, signal });
  },
};

/** Sends one notice to a channel of any kind. */
export function createNotifier(options: NotifierOptions): Notifier {
  return {
    send: ({ to, notice, signal }) => {
      const send = SENDERS[to.kind] as Send<ChannelKind>;
      return send(options, { to, notice, signal });
    },
  };
}

function postDeps({ dispatcherFor, userAgent, now, postTimeoutMs = POST_TIMEOUT_MS }: NotifierOptions) {
  return { dispatcherFor, userAgent, now, timeoutMs: postTimeoutMs };
}
