import type { Config } from '../config/config.ts';
import type { Notifier } from '../domain/channel.ts';
import type { Scrubber } from '../log/scrubber.ts';
import { createNotifier } from '../notify/notifier.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';
import { secuVersion } from './version.ts';

/** Creates the notifier of this installation. `policy` decides which addresses it may connect to. */
export function notifierOf(input: { config: Config; policy: OutboundPolicy; scrubber: Scrubber }): Notifier {
  const { config, policy, scrubber } = input;
  const url = config.smtp?.url.value();
  if (url !== undefined) scrubber.registerSecret(decodeURIComponent(new URL(url).password));
  return createNotifier({
    dispatcherFor: (target) => policy.dispatcherFor(target),
    userAgent: `Secu/${secuVersion()}`,
    mail: url === undefined ? null : { url, from: config.smtp?.from ?? '', caPem: config.network.caPem },
    now: () => new Date(),
  });
}
