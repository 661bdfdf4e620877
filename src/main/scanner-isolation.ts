import type { Registry } from '@prometheus-io/client';
import { Gauge } from '@prometheus-io/client';
import { SecuError } from '../domain/errors.ts';
import type { Log } from '../log/logger.ts';
import type { Isolation } from '../subprocess/sandbox.ts';

/** What to change when scanners cannot be isolated, by the user of the process. */
export const ISOLATION_ADVICE = {
  root: 'Allow the container to create namespaces.',
  user: 'Allow unprivileged user namespaces (kernel.unprivileged_userns_clone, AppArmor).',
};

/**
 * Reports in the log and as a metric how scanners are isolated on this machine.
 * @throws SecuError `invalid_settings` when they are not, and SECU_REQUIRE_ISOLATION is set
 */
export async function checkScannerIsolation(input: {
  isolation: () => Promise<Isolation>;
  isRequired: boolean;
  isRoot: boolean;
  registry: Registry;
  log: Log;
}): Promise<void> {
  const isolation = await input.isolation();
  new Gauge({
    name: 'secu_scanner_isolation',
    help: 'How scanners are isolated on this worker; always 1.',
    labelNames: ['isolation'],
    registers: [input.registry],
  }).set({ isolation }, 1);
  if (isolation !== 'none') return input.log.info({ isolation }, 'scanners run without network');
  const advice = ISOLATION_ADVICE[input.isRoot ? 'root' : 'user'];
  if (input.isRequired)
    throw new SecuError(
      'invalid_settings',
      `scanners cannot be isolated from the network on this machine, and SECU_REQUIRE_ISOLATION is set. ${advice}`,
    );
  input.log.warn({ isolation }, `scanners can reach the network that Secu can reach. ${advice}`);
}
