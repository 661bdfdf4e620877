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
  /** The same command, kept in. */
  wrap(command: string, args: readonly string[]): Promise<{ command: string; args: string[] }>;
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
    // One that could not be ended says nothing: the next one asks again.
    found ??= probe().catch((err: unknown) => {
      found = null;
      throw err;
    });
    return found;
  };
  return {
    isolation: async () => (await once()).kind,
    wrap: async (command, args) => wrapped({ prefix: (await once()).prefix, command, args }),
  };
}

function wrapped(input: { prefix: readonly string[]; command: string; args: readonly string[] }) {
  const [first, ...rest] = input.prefix;
  return first === undefined
    ? { command: input.command, args: [...input.args] }
    : { command: first, args: [...rest, input.command, ...input.args] };
}

async function works({ prefix, folder }: { prefix: readonly string[]; folder: string }): Promise<boolean> {
  const { exitCode } = await runProcess({
    ...wrapped({ prefix, command: 'true', args: [] }),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
    folder,
    maxStdoutBytes: 1024,
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  return exitCode === 0;
}
