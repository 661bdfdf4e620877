import { randomBytes } from 'node:crypto';
import { newId } from '../../db/new-id.ts';
import type { ChannelView, SealedAddress } from '../../db/stores/channels.ts';
import type { Stores } from '../../db/stores/index.ts';
import {
  addressSealContext,
  CHANNELS,
  DEFAULT_CHANNEL_EVENTS,
  signingSecretSealContext,
} from '../../domain/channel.ts';
import { SecuError } from '../../domain/errors.ts';
import type { EventKind } from '../../domain/event.ts';
import { Secret } from '../../domain/secret.ts';
import type { ApiDeps, AuditedBy } from '../deps.ts';
import type { z } from '../shared.ts';
import { auditEvent, found } from '../shared.ts';
import type { ChannelPatch, GivenAddress, NewChannel } from './schemas.ts';

/** Standard Webhooks 1.0 requires 24 to 64 random bytes. */
const SIGNING_KEY_BYTES = 32;

interface Context {
  deps: ApiDeps;
  by: AuditedBy;
}

/**
 * Creates a channel. @returns the signing secret of a webhook, which is shown only in this answer
 * @throws SecuError `origin_not_allowed` | `mail_not_configured` | `invalid_request`
 */
export async function createChannel({
  deps,
  body,
  by,
}: Context & { body: z.infer<typeof NewChannel> }): Promise<{ id: string; signingSecret: string | null }> {
  if (body.kind === 'email') requireMail(deps);
  else await deps.checkChannelOrigin(body.url.origin);
  const id = newId('channel');
  const signingSecret = CHANNELS[body.kind].signed
    ? `whsec_${randomBytes(SIGNING_KEY_BYTES).toString('base64')}`
    : null;
  const now = deps.now();
  await deps.database.transaction(async (tx) => {
    await requireIntegrations(tx, body.integrationIds);
    await tx.channels.add({
      id,
      kind: body.kind,
      name: body.name,
      events: body.events ?? [...DEFAULT_CHANNEL_EVENTS],
      integrationIds: body.integrationIds ?? null,
      minSeverity: body.minSeverity ?? null,
      mailTo: body.kind === 'email' ? body.to : null,
      address: body.kind === 'email' ? null : sealAddress({ deps, channelId: id, version: 1, url: body.url }),
      signingSecret:
        signingSecret === null
          ? null
          : deps.vault.seal({ context: signingSecretSealContext(id), secret: new Secret(signingSecret) }),
      now,
    });
    await audit({
      tx,
      by,
      kind: 'channel.created',
      channelId: id,
      text: `The channel "${body.name}" (${body.kind}) was created.`,
      now,
    });
  });
  return { id, signingSecret };
}

/** @throws SecuError as {@link createChannel}, and `not_found` */
export async function changeChannel({
  deps,
  id,
  body,
  by,
}: Context & { id: string; body: z.infer<typeof ChannelPatch> }): Promise<void> {
  if (body.url !== undefined) await deps.checkChannelOrigin(body.url.origin);
  const now = deps.now();
  await deps.database.transaction(async (tx) => {
    const before = found(await tx.channels.lock(id), 'channel');
    requireFitting(before, body);
    await requireIntegrations(tx, body.integrationIds);
    const { url, to: mailTo, ...plain } = body;
    const version = before.urlVersion + 1;
    const address = url === undefined ? undefined : sealAddress({ deps, channelId: id, version, url });
    await tx.channels.change(id, { ...plain, mailTo, address }, now);
    if (body.enabled === false) await tx.deliveries.giveUp({ channelId: id, cause: 'channel_off' });
    const what = Object.keys(body).sort().join(', ');
    await audit({
      tx,
      by,
      kind: 'channel.changed',
      channelId: id,
      text: `The channel "${before.name}" was changed: ${what === '' ? 'nothing' : what}.`,
      now,
    });
  });
}

/** Deletes a channel with its deliveries and ciphertexts. @throws SecuError `not_found` */
export async function removeChannel({ deps, id, by }: Context & { id: string }): Promise<void> {
  const now = deps.now();
  await deps.database.transaction(async (tx) => {
    const { name } = found(await tx.channels.lock(id), 'channel');
    found((await tx.channels.remove(id)) || null, 'channel');
    await audit({
      tx,
      by,
      kind: 'channel.removed',
      channelId: id,
      text: `The channel "${name}" was removed.`,
      now,
    });
  });
}

/** Queues a test message. @returns the delivery id @throws SecuError `not_found` */
export async function queueTest({ deps, id, by }: Context & { id: string }): Promise<string> {
  return deps.database.transaction(async (tx) => {
    const { name } = found(await tx.channels.find(id), 'channel');
    const deliveryId = await tx.deliveries.addTest({ channelId: id });
    const text = `A test was sent to the channel "${name}".`;
    await audit({ tx, by, kind: 'channel.tested', channelId: id, text, now: deps.now() });
    return deliveryId;
  });
}

/** Queues a delivery again under the same id. @throws SecuError `not_found` | `channel_off` */
export async function queueAgain({
  deps,
  id,
  deliveryId,
  by,
}: Context & { id: string; deliveryId: string }): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const channel = found(await tx.channels.lock(id), 'channel');
    const delivery = found(await tx.deliveries.find({ id: deliveryId, channelId: id }), 'delivery');
    if (!channel.enabled && delivery.eventId !== null)
      throw new SecuError('channel_off', 'the channel is switched off; enable it first');
    await tx.deliveries.retry(deliveryId);
    const text = `A message to the channel "${channel.name}" (${delivery.kind}) was resent manually.`;
    await audit({ tx, by, kind: 'channel.delivery_retried', channelId: id, text, now: deps.now() });
  });
}

function sealAddress(input: {
  deps: Pick<ApiDeps, 'vault'>;
  channelId: string;
  version: number;
  url: GivenAddress;
}): SealedAddress {
  const { deps, channelId, version, url } = input;
  const sealed = deps.vault.seal({ context: addressSealContext({ channelId, version }), secret: url.secret });
  return { ...sealed, origin: url.origin, version };
}

function requireMail({ settings }: Pick<ApiDeps, 'settings'>): void {
  if (settings.mail) return;
  throw new SecuError(
    'mail_not_configured',
    'no mail server is configured: set SECU_SMTP_URL and SECU_SMTP_FROM for API and workers, and restart them',
  );
}

function requireFitting({ kind }: ChannelView, body: z.infer<typeof ChannelPatch>): void {
  if (kind === 'email' && body.url !== undefined)
    throw new SecuError('invalid_request', 'url: an email channel has a recipient (to), no url');
  if (kind !== 'email' && body.to !== undefined)
    throw new SecuError('invalid_request', `to: a channel of kind ${kind} has a url, no recipient`);
}

async function requireIntegrations(tx: Stores, ids: readonly string[] | null | undefined): Promise<void> {
  for (const id of ids ?? []) {
    if ((await tx.integrations.find(id)) === null)
      throw new SecuError('invalid_request', 'integrationIds: contains an unknown integration');
  }
}

async function audit(input: {
  tx: Stores;
  by: AuditedBy;
  kind: EventKind;
  channelId: string;
  text: string;
  now: Date;
}): Promise<void> {
  const { tx, by, kind, channelId, text, now } = input;
  await tx.events.add([auditEvent(by, { kind, text, data: { channelId } })], now);
}
