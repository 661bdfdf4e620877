import type { EventKind } from './event.ts';
import { EVENT_KINDS, isAuditKind } from './event.ts';
import type { SealContext } from './sealed-secret.ts';
import type { Secret } from './secret.ts';

export const CHANNEL_KINDS = ['webhook', 'slack', 'email'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** What a channel may be told of. Not of its own deliveries, or each message would make the next. */
export const CHANNEL_EVENT_KINDS: readonly EventKind[] = EVENT_KINDS.filter(
  (kind) => !isAuditKind(kind) && !kind.startsWith('notification.'),
);

/** What a channel is told of when nobody chose. */
export const DEFAULT_CHANNEL_EVENTS = [
  'integration.invalid',
  'integration.expiry_flagged',
  'integration.expired',
  'integration.rotation_lost',
  'sync.brake_engaged',
] as const satisfies readonly EventKind[];

/** The event that must reach people: a channel without it leaves them to be surprised. */
export const EXPIRY_FLAG: EventKind = 'integration.expiry_flagged';

/** A message that somebody asked for, to see whether it arrives. It has no event. */
export const TEST_MESSAGE_KIND = 'test';

export const DELIVERY_STATES = ['queued', 'sent', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Why an attempt did not arrive, and what to do about it. */
export const DELIVERY_ADVICE = {
  address_refused: 'The address may not be connected to. Allow its network with SECU_WEBHOOK_NETWORKS.',
  name_not_found: 'The name of the receiver does not resolve. Check the address and the DNS of the worker.',
  connection_failed:
    'Nobody answers at the address. Check that the receiver runs and that the worker may reach it.',
  timed_out: 'The receiver did not answer in time. It should take the message first and work on it later.',
  tls_failed:
    'The certificate of the receiver cannot be verified. Renew it, or give its root with SECU_CA_FILE.',
  redirected: 'The receiver redirects, which is not followed. Set the address that it redirects to.',
  receiver_refused:
    'The receiver refused the message. Its status says why: 401 and 403 mean a wrong or ended address.',
  receiver_failed: 'The receiver failed over the message. Look at its own log.',
  receiver_gone:
    'The receiver said that it is gone for ever (410), so the channel was switched off. Set a new address.',
  reply_unreadable:
    'What answers at the address does not speak the protocol. Check the address and its port.',
  mail_not_configured: 'No mail server is set. Set SECU_SMTP_URL and SECU_SMTP_FROM on API and workers.',
  mail_sign_in_failed: 'The mail server refused our user or password. Correct SECU_SMTP_URL.',
  mail_refused: 'The mail server refused the message for good. Check the recipient and SECU_SMTP_FROM.',
  channel_off: 'The channel was switched off while the message waited.',
  event_removed: 'The event is not kept any more; see SECU_RETENTION.',
  secret_unreadable:
    'The sealed address does not open. Restore the key ring that was in use, or set the address anew.',
  failed_unexpectedly: 'Something unforeseen; the log of the orchestration worker has it.',
} as const satisfies Record<string, string>;
export type DeliveryCause = keyof typeof DELIVERY_ADVICE;
export const DELIVERY_CAUSES = Object.keys(DELIVERY_ADVICE) as DeliveryCause[];

/** What is told, in plain words. Whoever sends it escapes it as its medium needs. */
export interface Notice {
  /** Id of the delivery, the same in every attempt: what a receiver knows a repeat by. */
  id: string;
  kind: string;
  at: Date;
  text: string;
  /** The event as it is stored; `null` for a test. */
  event: {
    id: string;
    integrationId: string | null;
    repositoryId: string | null;
    data: Record<string, unknown>;
  } | null;
  /** Where to go from here: a page of Secu. */
  link: string;
}

/** Where it goes, opened for this one call. */
export type Destination =
  | { kind: 'webhook'; url: Secret; signingSecret: Secret }
  | { kind: 'slack'; url: Secret }
  | { kind: 'email'; to: string };

/** `status` is what the other side answered, HTTP or SMTP; `null` where it did not get so far. */
export type SendOutcome =
  | { sent: true; status: number | null }
  | {
      sent: false;
      cause: DeliveryCause;
      status: number | null;
      /** No later attempt can end otherwise. */
      final: boolean;
    };

/** Sends one notice once, within a deadline of its own. Every failure to do so is an outcome. */
export interface Notifier {
  /** @throws the signal's reason on abort */
  send(input: { to: Destination; notice: Notice; signal: AbortSignal }): Promise<SendOutcome>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Pauses after the first, second… failed attempt: seven attempts within a day. */
const RETRY_DELAYS_MS = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, 15 * HOUR_MS];

/**
 * How long to wait after this many failed attempts; `null`: give up. `jitter` is from 0 to 1 and only shortens, so that
 * all attempts lie within 24 hours.
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

/** Where the address of a channel is sealed for; `version` counts its addresses. */
export function addressSealContext({
  channelId,
  version,
}: {
  channelId: string;
  version: number;
}): SealContext {
  return { table: 'channel', column: 'url', rowId: channelId, version };
}

/** Where the signing secret of a channel is sealed for. It is made once. */
export function signingSecretSealContext(channelId: string): SealContext {
  return { table: 'channel', column: 'signing_secret', rowId: channelId, version: 1 };
}
