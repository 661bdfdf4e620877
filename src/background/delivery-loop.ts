import type { Database } from '../db/database.ts';
import type { ClaimedDelivery } from '../db/stores/deliveries.ts';
import type { Stores } from '../db/stores/index.ts';
import type { Destination, Notice, Notifier, SendOutcome } from '../domain/channel.ts';
import {
  addressSealContext,
  CHANNELS,
  DELIVERY_ADVICE,
  deliveryRetryDelayMs,
  isUrlChannelKind,
  signingSecretSealContext,
  TEST_MESSAGE_KIND,
} from '../domain/channel.ts';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { Log } from '../log/logger.ts';
import type { ActivityMetrics } from '../metrics/activities.ts';
import type { Vault } from '../vault/vault.ts';
import { sleep } from './sleep.ts';

const POLL_EVERY_MS = 1_000;
const MAX_CONCURRENT = 20;
const MAX_CONCURRENT_PER_CHANNEL = 4;
/** Longer than any attempt, so that another worker takes a delivery only after its worker was killed. */
const LEASE_MS = 120_000;

export interface DeliveryDeps {
  database: Database;
  vault: Vault;
  notifier: Notifier;
  log: Log;
  metrics: Pick<ActivityMetrics, 'delivered'>;
  /** The public address of Secu, for links in messages. */
  publicUrl: string;
  /** Shorter in tests. */
  leaseMs?: number;
}

/**
 * Sends pending deliveries until stopped. Any number of workers may run it, because each delivery is leased to one
 * worker at a time. Stopping aborts running attempts; any worker claims them again.
 * @returns a function that stops the loop
 */
export function startDeliveryLoop(deps: DeliveryDeps): () => Promise<void> {
  const stopping = new AbortController();
  const sending = new Set<Promise<void>>();
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const taken = await claimDeliveries(deps, MAX_CONCURRENT - sending.size);
      for (const delivery of taken) {
        const work: Promise<void> = deliver(deps, delivery, stopping.signal).finally(() =>
          sending.delete(work),
        );
        sending.add(work);
      }
      const nextPoll = sleep(POLL_EVERY_MS, stopping.signal);
      await (taken.length === 0 ? nextPoll : Promise.race([nextPoll, ...sending]));
    }
    await Promise.all(sending);
  };
  const running = loop();
  return async () => {
    stopping.abort();
    await running;
  };
}

async function claimDeliveries(
  { database, leaseMs, log }: DeliveryDeps,
  limit: number,
): Promise<ClaimedDelivery[]> {
  if (limit === 0) return [];
  try {
    return await database.stores.deliveries.claim({
      limit,
      perChannel: MAX_CONCURRENT_PER_CHANNEL,
      leaseMs: leaseMs ?? LEASE_MS,
    });
  } catch (err) {
    log.warn({ err }, 'deliveries: could not read the waiting ones');
    return [];
  }
}

async function deliver(deps: DeliveryDeps, delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
  const { id, attempt } = delivery;
  try {
    const outcome = await attemptDelivery(deps, delivery, signal);
    if (outcome === 'cut') await deps.database.stores.deliveries.release({ id, attempt });
    else await recordOutcome(deps, delivery, outcome);
  } catch (err) {
    // its lease expires and it is sent again: a duplicate is better than a loss
    deps.log.warn({ err, deliveryId: id }, 'deliveries: what came of one could not be stored');
  }
}

async function attemptDelivery(
  deps: DeliveryDeps,
  delivery: ClaimedDelivery,
  signal: AbortSignal,
): Promise<SendOutcome | 'cut'> {
  const failed = (cause: keyof typeof DELIVERY_ADVICE, final: boolean): SendOutcome => ({
    sent: false,
    cause,
    status: null,
    final,
  });
  try {
    const notice = noticeOf(deps, delivery);
    if (notice === null) return failed('event_removed', true);
    return await deps.notifier.send({ to: destinationOf(deps.vault, delivery.channel), notice, signal });
  } catch (err) {
    if (signal.aborted) return 'cut';
    deps.log.error({ err, deliveryId: delivery.id }, 'deliveries: an attempt failed unexpectedly');
    const sealed = isSecuError(err, 'secret_unreadable', 'key_unknown');
    return failed(sealed ? 'secret_unreadable' : 'failed_unexpectedly', false);
  }
}

/** Opens the settings of a channel. @throws SecuError `secret_unreadable` | `key_unknown` */
function destinationOf(vault: Vault, channel: ClaimedDelivery['channel']): Destination {
  const { id, kind, mailTo, url, signingSecret } = channel;
  if (!isUrlChannelKind(kind) && mailTo !== null) return { kind, to: mailTo };
  if (isUrlChannelKind(kind) && url !== null) {
    const address = vault.unseal({
      context: addressSealContext({ channelId: id, version: url.version }),
      sealed: url,
    });
    const secret =
      signingSecret === null
        ? null
        : vault.unseal({ context: signingSecretSealContext(id), sealed: signingSecret });
    if (secret !== null || !CHANNELS[kind].signed) return { kind, url: address, signingSecret: secret };
  }
  throw new SecuError('internal', 'a channel without what its kind needs');
}

function noticeOf(
  { publicUrl }: DeliveryDeps,
  { id, kind, event, events, createdAt }: ClaimedDelivery,
): Notice | null {
  if (kind === TEST_MESSAGE_KIND) {
    const text = 'This is a test. Secu can reach you here; nothing has happened.';
    return { id, kind, at: createdAt, text, event: null, link: publicUrl };
  }
  if (event === null) return null;
  const { at, text: eventText, ...rest } = event;
  const others = events - 1;
  const text =
    others === 0
      ? eventText
      : `${eventText} This scan has ${others} more event${others === 1 ? '' : 's'} of this kind.`;
  const link = event.integrationId === null ? publicUrl : `${publicUrl}/integrations/${event.integrationId}`;
  return { id, kind, at, text, event: rest, link };
}

/** For a day, a receiver's `Retry-After` is respected and does not count as a failure. */
const MAX_POSTPONED_MS = 24 * 3_600_000;

function isAskedToWait(
  { kind, createdAt }: ClaimedDelivery,
  outcome: SendOutcome,
): outcome is SendOutcome & { sent: false; retryAfterMs: number } {
  return (
    !outcome.sent &&
    outcome.retryAfterMs !== undefined &&
    kind !== TEST_MESSAGE_KIND &&
    Date.now() - createdAt.getTime() < MAX_POSTPONED_MS
  );
}

/** Writes the delivery, its event and the state of the channel in one transaction. */
async function recordOutcome(
  deps: DeliveryDeps,
  delivery: ClaimedDelivery,
  outcome: SendOutcome,
): Promise<void> {
  const { id, attempt, failures, kind, channel } = delivery;
  if (isAskedToWait(delivery, outcome)) {
    const { cause, status, retryAfterMs: pauseMs } = outcome;
    const isPostponed = await deps.database.stores.deliveries.postpone({
      id,
      attempt,
      channelId: channel.id,
      cause,
      status,
      pauseMs,
    });
    if (!isPostponed) deps.log.info({ deliveryId: id, attempt }, 'deliveries: a late outcome was ignored');
    return;
  }
  const failed = failures + 1;
  const pauseMs =
    outcome.sent || outcome.final || kind === TEST_MESSAGE_KIND
      ? null
      : deliveryRetryDelayMs({ failures: failed, jitter: Math.random() });
  const counted = await deps.database.transaction(async (tx) => {
    const stored = outcome.sent
      ? await tx.deliveries.sent({ id, attempt, status: outcome.status })
      : await tx.deliveries.failed({ id, attempt, cause: outcome.cause, status: outcome.status, pauseMs });
    if (!stored) return false;
    // only the first and the last attempt have an event; the list of deliveries shows all
    if (outcome.sent || failed === 1 || pauseMs === null)
      await addDeliveryEvent({ tx, delivery, outcome, pauseMs });
    if (!outcome.sent && outcome.cause === 'receiver_gone') await switchOffChannel(tx, delivery);
    return true;
  });
  if (!counted) return;
  deps.metrics.delivered({
    channel: channel.kind,
    outcome: outcome.sent ? 'sent' : pauseMs === null ? 'given_up' : 'failed',
  });
  if (!outcome.sent)
    deps.log.warn(
      { deliveryId: id, channelId: channel.id, ...outcome, attempt, pauseMs },
      'a message did not arrive',
    );
}

async function addDeliveryEvent(input: {
  tx: Stores;
  delivery: ClaimedDelivery;
  outcome: SendOutcome;
  pauseMs: number | null;
}): Promise<void> {
  const { tx, delivery, outcome, pauseMs } = input;
  const { id, kind, integrationId, channel, event, attempt } = delivery;
  const about = {
    channelId: channel.id,
    deliveryId: id,
    eventId: event?.id ?? null,
    kind,
    attempts: attempt,
  };
  const base = { integrationId, repositoryId: event?.repositoryId ?? null, actor: 'system' };
  const what = kind === TEST_MESSAGE_KIND ? 'a test' : kind;
  const then = pauseMs === null ? 'It was given up.' : 'It is tried again by itself.';
  await tx.events.add(
    [
      outcome.sent
        ? {
            ...base,
            kind: 'notification.sent',
            text: `The channel "${channel.name}" was notified of ${what}.`,
            data: about,
          }
        : {
            ...base,
            kind: 'notification.failed',
            text: `The channel "${channel.name}" could not be notified of ${what}. ${DELIVERY_ADVICE[outcome.cause]} ${then}`,
            data: { ...about, cause: outcome.cause, status: outcome.status, final: pauseMs === null },
          },
    ],
    new Date(),
  );
}

/** @see Standard Webhooks 1.0: a receiver that answers 410 must not be called again */
async function switchOffChannel(tx: Stores, { channel }: ClaimedDelivery): Promise<void> {
  const now = new Date();
  if (!(await tx.channels.switchOff({ id: channel.id, cause: 'receiver_gone', now }))) return;
  await tx.deliveries.giveUp({ channelId: channel.id, cause: 'channel_off' });
  const text = `The channel "${channel.name}" was switched off: its receiver answered that it is gone permanently.`;
  const event = { kind: 'channel.switched_off', integrationId: null, actor: 'system', text } as const;
  await tx.events.add([{ ...event, data: { channelId: channel.id } }], now);
}
