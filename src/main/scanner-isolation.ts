import type { Registry } from '@prometheus-io/client';
import { SecuError } from '../domain/errors.ts';
import type { Isolation, IsolationLevel, Protected } from '../domain/isolation.ts';
import { isIsolated } from '../domain/isolation.ts';
import type { Log } from '../log/logger.ts';
import { addIsolationGauge } from '../metrics/isolation.ts';

/** What to change when scanners are not fully isolated. */
export const ISOLATION_ADVICE =
  'Allow user namespaces and mounts: in a container with deploy/seccomp.json and without AppArmor, on a machine by kernel.unprivileged_userns_clone, user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns. See docs/explanation/isolation.md.';

const HOW = {
  namespaces: 'git and scanners run in a separate file system',
  uid: 'git and scanners run as another user',
  network_only: 'scanners run without network',
  none: 'git and scanners run as Secu itself',
} satisfies Record<IsolationLevel, string>;

const WHAT = {
  keys: 'files with keys',
  processes: 'the memory of Secu',
  other_scans: 'folders of other scans',
  network: 'the network that Secu can reach',
} satisfies Record<Protected, string>;

/** One sentence about the isolation, for the log and for `secu doctor`. */
export function describeIsolation(isolation: Isolation): string {
  const { level, reachable } = isolation;
  if (isIsolated(isolation)) return `${HOW[level]} and reach nothing that is protected`;
  return `${HOW[level]}; scanners can reach ${reachable.map((name) => WHAT[name]).join(', ')}`;
}

/**
 * Reports in the log and as a metric how git and scanners are isolated on this machine.
 * @throws SecuError `invalid_settings` when a scanner can reach what is protected, and SECU_REQUIRE_ISOLATION is set
 */
export async function checkScannerIsolation(input: {
  isolation: () => Promise<Isolation>;
  isRequired: boolean;
  registry: Registry;
  log: Log;
}): Promise<void> {
  const isolation = await input.isolation();
  const { level, reachable } = isolation;
  addIsolationGauge(input.registry, isolation);
  const text = describeIsolation(isolation);
  if (isIsolated(isolation)) return input.log.info({ isolation: level, reachable }, text);
  if (input.isRequired)
    throw new SecuError(
      'invalid_settings',
      `SECU_REQUIRE_ISOLATION is set, and this machine does not allow it: ${text}. ${ISOLATION_ADVICE}`,
    );
  input.log.warn({ isolation: level, reachable }, `${text}. ${ISOLATION_ADVICE}`);
}
