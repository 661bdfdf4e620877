import type { AuditKind, EventKind } from './event.ts';
import { EVENT_KINDS, isAuditKind } from './event.ts';
import type { SealContext } from './sealed-secret.ts';
import type { Secret } from './secret.ts';

/**
 * Every kind of channel: the kind of its address, and whether its messages are signed. A new kind needs a row here,
 * a sender in `src/notify/notifier.ts` and a title in the dashboard; the compiler asks for them.
 */
export const CHANNELS = {
  webhook: { address: 'url', signed: true },
  slack: { address: 'url', signed: false },
  email: { address: 'mail', signed: false },
} as const satisfies Record<string, { address: 'url' | 'mail'; signed: boolean }>;
export type ChannelKind = keyof typeof CHANNELS;
type ChannelKindBy<Address extends 'url' | 'mail'> = {
  [Kind in ChannelKind]: (typeof CHANNELS)[Kind]['address'] extends Address ? Kind : never;
}[ChannelKind];
export type UrlChannelKind = ChannelKindBy<'url'>;

export const CHANNEL_KINDS = Object.keys(CHANNELS) as [ChannelKind, ...ChannelKind[]];
export const URL_CHANNEL_KINDS = CHANNEL_KINDS.filter(isUrlChannelKind) as [
  UrlChannelKind,
  ...UrlChannelKind[],
];

export function isUrlChannelKind(kind: ChannelKind): kind is UrlChannelKind {
  return CHANNELS[kind].address === 'url';
}

/**
 * Events that a channel can subscribe to. `notification.*` is left out: each message would cause the next one.
 */
export type ChannelEventKind = Exclude<EventKind, AuditKind | `notification.${string}`>;
export const CHANNEL_EVENT_KINDS: readonly ChannelEventKind[] = EVENT_KINDS.filter(
  (kind): kind is ChannelEventKind => !isAuditKind(kind) && !kind.startsWith('notification.'),
);

/** The events of a channel that was created without a choice. */
export const DEFAULT_CHANNEL_EVENTS = [
  'integration.invalid',
  'integration.expiry_flagged',
  'integration.expired',
  'integration.rotation_lost',
  'sync.brake_engaged',
] as const satisfies readonly EventKind[];

/** The event that must reach people. Without a channel for it, tokens expire unnoticed. */
export const EXPIRY_FLAG: EventKind = 'integration.expiry_flagged';

/** The kind of a test message. It belongs to no event. */
export const TEST_MESSAGE_KIND = 'test';

export const DELIVERY_STATES = ['queued', 'sent', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Why a delivery attempt failed, and what to do about it. */
export const DELIVERY_ADVICE = {
  address_refused:
    'Connections to this address are not allowed. Allow its network with SECU_WEBHOOK_NETWORKS.',
  name_not_found:
    'The host name of the receiver does not resolve. Check the address and the DNS of the worker.',
  connection_failed:
    'Nothing listens at this address. Check that the receiver runs and that the worker can reach it.',
  timed_out: 'The receiver did not answer in time. It should accept the message first and process it later.',
  tls_failed:
    'The certificate of the receiver cannot be verified. Renew it, or add its root certificate with SECU_CA_FILE.',
  redirected: 'The receiver redirects, and Secu does not follow redirects. Use the target address instead.',
  receiver_refused:
    'The receiver refused the message. Its status says why: 401 and 403 mean a wrong or expired address.',
  receiver_failed: 'The receiver failed to process the message. Check its log.',
  receiver_gone:
    'The receiver is gone permanently (410), so the channel was switched off. Set a new address.',
  reply_unreadable: 'The receiver does not speak the expected protocol. Check the address and its port.',
  mail_not_configured:
    'No mail server is configured. Set SECU_SMTP_URL and SECU_SMTP_FROM for the API and the workers.',
  mail_sign_in_failed: 'The mail server refused the user name or password. Correct SECU_SMTP_URL.',
  mail_refused: 'The mail server rejected the message permanently. Check the recipient and SECU_SMTP_FROM.',
  channel_off: 'The channel was switched off while the message was queued.',
  event_removed: 'The event was deleted by retention; see SECU_RETENTION.',
  secret_unreadable:
    'The sealed address cannot be opened. Restore the previous key ring, or set the address again.',
  failed_unexpectedly: 'An unexpected error occurred; see the log of the orchestration worker.',
} as const satisfies Record<string, string>;
export type DeliveryCause = keyof typeof DELIVERY_ADVICE;
export const DELIVERY_CAUSES = Object.keys(DELIVERY_ADVICE) as DeliveryCause[];

/** A message in plain text. The sender escapes it for its medium. */
export interface Notice {
  /** Id of the delivery, the same in every attempt, so that a receiver can detect repeats. */
  id: string;
  kind: string;
  at: Date;
  text: string;
  /** The event as stored; `null` for a test message. */
  event: {
    id: string;
    integrationId: string | null;
    repositoryId: string | null;
    data: Record<string, unknown>;
  } | null;
  /** The Secu page to open for details. */
  link: string;
}

/** The receiver's address, unsealed for one attempt. */
export type DestinationOf<Kind extends ChannelKind> = Kind extends UrlChannelKind
  ? { kind: Kind; url: Secret; signingSecret: Secret | null }
  : { kind: Kind; to: string };
export type Destination = DestinationOf<ChannelKind>;

/** `status` is the HTTP or SMTP status of the receiver; `null` when there was no answer. */
export type SendOutcome =
  | { sent: true; status: number | null }
  | {
      sent: false;
      cause: DeliveryCause;
      status: number | null;
      /** Retrying cannot succeed. */
      final: boolean;
      /** How long the receiver asked to wait (429 or 503 with `Retry-After`). */
      retryAfterMs?: number;
    };

/** Sends one notice once, within its own timeout. A failed attempt is an outcome, not an error. */
export interface Notifier {
  /** @throws the signal's reason when it is aborted */
  send(input: { to: Destination; notice: Notice; signal: AbortSignal }): Promise<SendOutcome>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Delays after the first, second, … failed attempt: seven attempts within 24 hours. */
const RETRY_DELAYS_MS = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, 15 * HOUR_MS];

/**
 * How long to wait after this many failed attempts, in ms; `null` = stop retrying. `jitter` (0 to 1) only shortens
 * the delay, so that all attempts stay within 24 hours.
 */
export function deliveryRetryDelayMs({
  failures,
  jitter,
}: {
  failures: number;
  jitter: number;
}): number | null {
  const pauseMs = RETRY_DELAYS_MS[failures - 1];
  return pauseMs === undefined ? null : Math.round(pauseMs * (1 - 0.2 * jitter));
}

/** Binds the sealed address to its channel; `version` counts the addresses that the channel has had. */
export function addressSealContext({
  channelId,
  version,
}: {
  channelId: string;
  version: number;
}): SealContext {
  return { table: 'channel', column: 'url', rowId: channelId, version };
}

/** Binds the sealed signing secret to its channel. It is created once. */
export function signingSecretSealContext(channelId: string): SealContext {
  return { table: 'channel', column: 'signing_secret', rowId: channelId, version: 1 };
}
