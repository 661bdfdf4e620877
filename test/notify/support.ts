import type { Notice, Notifier } from '../../src/domain/channel.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { NotifierOptions } from '../../src/notify/notifier.ts';
import { createNotifier } from '../../src/notify/notifier.ts';
import type { OutboundPolicy } from '../../src/outbound/policy.ts';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';

export const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export const NOTICE: Notice = {
  id: 'dlv_01JG0000000000000000000000',
  kind: 'integration.expiry_flagged',
  at: new Date('2027-01-24T00:00:00Z'),
  text: 'The token of Shop expires in 7 days or less, on 2027-01-31.',
  event: {
    id: 'evt_01JG0000000000000000000000',
    integrationId: 'int_01JG0000000000000000000000',
    repositoryId: null,
    data: { thresholdDays: 7 },
  },
  link: 'https://secu.example.com/integrations/int_01JG0000000000000000000000',
};

export interface Sending {
  notifier: Notifier;
  policy: OutboundPolicy;
  close(): Promise<void>;
}

/** A notifier that may connect to loopback, where the fake receivers are. */
export function sending(
  options: { networks?: string[]; caPem?: string } & Partial<NotifierOptions> = {},
): Sending {
  const { networks = ['127.0.0.0/8'], caPem, ...own } = options;
  const policy = createOutboundPolicy({
    origins: [],
    allowedNetworks: networks,
    ownListeners: [],
    caPem,
  });
  const notifier = createNotifier({
    dispatcherFor: (url) => policy.dispatcherFor(url),
    userAgent: 'Secu/test',
    mail: null,
    now: () => new Date(),
    ...own,
  });
  return { notifier, policy, close: () => policy.close() };
}

export const webhookTo = (url: string) => ({
  kind: 'webhook' as const,
  url: new Secret(url),
  signingSecret: new Secret(SIGNING_SECRET),
});

export const never = new AbortController().signal;
