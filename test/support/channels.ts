import type { DeliveryDeps } from '../../src/background/delivery-loop.ts';
import { startDeliveryLoop } from '../../src/background/delivery-loop.ts';
import { newId } from '../../src/db/new-id.ts';
import type { ChannelEventKind, ChannelKind } from '../../src/domain/channel.ts';
import {
  addressSealContext,
  DEFAULT_CHANNEL_EVENTS,
  signingSecretSealContext,
} from '../../src/domain/channel.ts';
import type { NewEvent } from '../../src/domain/event.ts';
import type { Severity } from '../../src/domain/finding.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { NotifierOptions } from '../../src/notify/notifier.ts';
import { createNotifier } from '../../src/notify/notifier.ts';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';
import { depsOf } from './workers.ts';
import type { TestWorld } from './world.ts';

export const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;

/** A channel as `POST /channels` stores it, without the API. @returns its id */
export async function addChannel(
  world: Pick<TestWorld, 'database' | 'vault'>,
  options: {
    kind?: ChannelKind;
    url?: string;
    to?: string;
    name?: string;
    events?: ChannelEventKind[];
    integrationIds?: string[] | null;
    minSeverity?: Severity | null;
  },
): Promise<string> {
  const { kind = 'webhook', url, to = null } = options;
  const id = newId('channel');
  const seal = (context: ReturnType<typeof signingSecretSealContext>, text: string) =>
    world.vault.seal({ context, secret: new Secret(text) });
  await world.database.stores.channels.add({
    id,
    kind,
    name: options.name ?? `Channel ${id}`,
    events: options.events ?? [...DEFAULT_CHANNEL_EVENTS],
    integrationIds: options.integrationIds ?? null,
    minSeverity: options.minSeverity ?? null,
    mailTo: to,
    address:
      url === undefined
        ? null
        : {
            ...seal(addressSealContext({ channelId: id, version: 1 }), url),
            origin: new URL(url).origin,
            version: 1,
          },
    signingSecret: kind === 'webhook' ? seal(signingSecretSealContext(id), SIGNING_SECRET) : null,
    now: new Date(),
  });
  return id;
}

/** Starts the delivery loop with the real senders, which may reach loopback; until `stop` or the end of the world. */
export function startTelling(
  world: TestWorld,
  options: Partial<DeliveryDeps> & { sender?: Partial<NotifierOptions> } = {},
): { stop(): Promise<void> } {
  const { sender, ...own } = options;
  const policy = createOutboundPolicy({
    origins: [],
    allowedNetworks: ['127.0.0.0/8'],
    ownListeners: [],
  });
  const notifier = createNotifier({
    dispatcherFor: (url) => policy.dispatcherFor(url),
    userAgent: 'Secu/test',
    mail: null,
    now: () => new Date(),
    ...sender,
  });
  const stopDeliveries = startDeliveryLoop({
    ...depsOf(world),
    notifier,
    publicUrl: 'https://secu.example.com',
    ...own,
  });
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= stopDeliveries().then(() => policy.close());
    return stopping;
  };
  world.onClose(stop);
  return { stop };
}

/** An event of this integration that channels receive by default. */
export function flagEvent(integrationId: string | null, own: Partial<NewEvent> = {}): NewEvent {
  return {
    kind: 'integration.expiry_flagged',
    integrationId,
    actor: 'system',
    text: 'The token of Shop expires in 7 days or less, on 2027-01-31.',
    data: { thresholdDays: 7, expiresAt: '2027-01-31' },
    ...own,
  };
}
