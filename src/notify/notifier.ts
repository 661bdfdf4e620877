import type { Dispatcher } from 'undici';
import type { Notifier } from '../domain/channel.ts';
import type { Secret } from '../domain/secret.ts';
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
  /** `null`: no mail server is set. */
  mail: Pick<MailSettings, 'url' | 'from' | 'caPem'> | null;
  now: () => Date;
  /** For tests: shorter deadlines. */
  postTimeoutMs?: number;
  mailTimeoutMs?: number;
}

/** Sends by mail, signed webhook or Slack-compatible webhook. */
export function createNotifier(options: NotifierOptions): Notifier {
  const { dispatcherFor, userAgent, now, mail } = options;
  const post = { dispatcherFor, userAgent, now, timeoutMs: options.postTimeoutMs ?? POST_TIMEOUT_MS };
  return {
    async send({ to, notice, signal }) {
      switch (to.kind) {
        case 'webhook':
          return sendWebhook(post, {
            url: opened(to.url),
            signingSecret: opened(to.signingSecret),
            notice,
            signal,
          });
        case 'slack':
          return sendToSlack(post, { url: opened(to.url), notice, signal });
        case 'email': {
          if (mail === null) return { sent: false, cause: 'mail_not_configured', status: null, final: false };
          const settings = { ...mail, timeoutMs: options.mailTimeoutMs ?? MAIL_TIMEOUT_MS };
          return sendMail(settings, { to: to.to, notice, signal });
        }
      }
    },
  };
}

function opened(secret: Secret): string {
  return secret.reveal();
}
