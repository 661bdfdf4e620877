import { runProcess } from './process.ts';

const PROBE_TIMEOUT_MS = 10_000;
const WITHOUT_NETWORK = [
  { kind: 'network_namespace', prefix: ['unshare', '-n', '--'] },
  { kind: 'user_and_network_namespace', prefix: ['unshare', '-r', '-n', '--'] },
] as const;

export type Isolation = (typeof WITHOUT_NETWORK)[number]['kind'] | 'none';

/** How scanners are kept from the network on this machine. */
export interface Sandbox {
  isolation(): Promise<Isolation>;
  /** What to put before a command. */
  prefix(): Promise<readonly string[]>;
}

/** What this machine allows is tried once, when it is first needed. @see unshare(1) */
export function createSandbox({ folder }: { folder: string }): Sandbox {
  let found: Promise<{ kind: Isolation; prefix: readonly string[] }> | null = null;
  const probe = async () => {
    for (const candidate of WITHOUT_NETWORK)
      if (await works({ prefix: candidate.prefix, folder })) return candidate;
    return { kind: 'none' as const, prefix: [] };
  };
  const once = () => {
    found ??= probe();
    return found;
  };
  return {
    isolation: async () => (await once()).kind,
    prefix: async () => (await once()).prefix,
  };
}

async function works({ prefix, folder }: { prefix: readonly string[]; folder: string }): Promise<boolean> {
  const [command = '', ...args] = [...prefix, 'true'];
  const { exitCode } = await runProcess({
    command,
    args,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
    folder,
    maxStdoutBytes: 1024,
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  return exitCode === 0;
}
