import { SCANNER_LIMITS } from './limits.ts';
import { runProcess } from './process.ts';
import { SYSTEM_PATH } from './system-path.ts';

const PROBE_TIMEOUT_MS = 10_000;
const WITHOUT_NETWORK = [
  { kind: 'network_namespace', prefix: ['unshare', '-n', '--'] },
  { kind: 'user_and_network_namespace', prefix: ['unshare', '-r', '-n', '--'] },
] as const;

export type Isolation = (typeof WITHOUT_NETWORK)[number]['kind'] | 'none';

/** Runs scanners without network, as far as this machine allows it. */
export interface Sandbox {
  isolation(): Promise<Isolation>;
  /** The command line that runs this command inside the sandbox. */
  wrap(command: string, args: readonly string[]): Promise<{ command: string; args: string[] }>;
}

/** Probes the machine once, at first use, with the command that scans use. @see unshare(1) */
export function createSandbox({ folder }: { folder: string }): Sandbox {
  let probed: Promise<{ kind: Isolation; prefix: readonly string[] }> | null = null;
  const probe = async () => {
    for (const candidate of WITHOUT_NETWORK)
      if (await canRun({ prefix: candidate.prefix, folder })) return candidate;
    return { kind: 'none' as const, prefix: [] };
  };
  const probeOnce = () => {
    // A probe that failed to run proves nothing, so the next call probes again.
    probed ??= probe().catch((err: unknown) => {
      probed = null;
      throw err;
    });
    return probed;
  };
  return {
    isolation: async () => (await probeOnce()).kind,
    wrap: async (command, args) => wrapCommand({ prefix: (await probeOnce()).prefix, command, args }),
  };
}

function wrapCommand(input: { prefix: readonly string[]; command: string; args: readonly string[] }) {
  const [first, ...rest] = input.prefix;
  return first === undefined
    ? { command: input.command, args: [...input.args] }
    : { command: first, args: [...rest, input.command, ...input.args] };
}

async function canRun({ prefix, folder }: { prefix: readonly string[]; folder: string }): Promise<boolean> {
  const { exitCode } = await runProcess({
    ...wrapCommand({ prefix, command: 'true', args: [] }),
    env: { PATH: SYSTEM_PATH },
    limits: SCANNER_LIMITS,
    folder,
    maxStdoutBytes: 1024,
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  return exitCode === 0;
}
