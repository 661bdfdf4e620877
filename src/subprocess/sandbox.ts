import { SecuError } from '../domain/errors.ts';
import { SCANNER_LIMITS } from './limits.ts';
import { memoryFolder } from './memory-file.ts';
import type { Mount } from './mounts.ts';
import { fstabOf } from './mounts.ts';
import type { Fence } from './process.ts';
import { NO_FENCE, runProcess } from './process.ts';
import { SYSTEM_PATH } from './system-path.ts';
import type { ViewFolders } from './view.ts';
import { ALL_SCANS, DATA_ONLY, RUNNER_ONLY } from './view.ts';

const PROBE_TIMEOUT_MS = 10_000;
/** An empty file system that has room for mount points only. */
const EMPTY_TMPFS = ['mode=755', 'size=64k', 'nosuid', 'nodev', 'noexec'];

/** What a program may use. */
export interface Access {
  network: boolean;
  /** Folders of its scan that it may change. */
  writable: readonly string[];
  /** Folders of scans that it may read. */
  readable?: readonly string[];
}

/** Restricts programs that read untrusted content, as far as this machine allows it. */
export interface Sandbox {
  fenceFor(access: Access): Promise<Fence>;
}

interface SandboxInput {
  folder: string;
  view: ViewFolders | null;
  /** Refuses to run programs with less than the full isolation. */
  isRequired?: boolean;
}

/**
 * Probes the machine once for each kind of access, at first use, with the command that scans use. `view` is set in a
 * runner with its own file system (`isolate.sh`); without it, all files of the user stay visible.
 * @throws SecuError `scanner_crashed` if isolation is required and not possible @see unshare(1)
 */
export function createSandbox(input: SandboxInput): Sandbox {
  const probeOnce = { network: createProbe(input, true), noNetwork: createProbe(input, false) };
  return {
    async fenceFor(access) {
      const { namespaces, hidesScans } = await probeOnce[access.network ? 'network' : 'noNetwork']();
      return { namespaces, mounts: hidesScans ? mountsFor(input, access) : null };
    },
  };
}

interface Candidate {
  namespaces: readonly string[];
  hidesScans: boolean;
}

/** The strongest first. A user namespace alone protects the memory of all other processes. */
function candidatesFor({ view, network }: { view: ViewFolders | null; network: boolean }): Candidate[] {
  const net = network ? [] : ['-n'];
  return [
    ...(view === null ? [] : [{ namespaces: ['-r', '-m', ...net], hidesScans: true }]),
    { namespaces: ['-r', ...net], hidesScans: false },
    ...(network ? [] : [{ namespaces: ['-n'], hidesScans: false }]),
  ];
}

function createProbe(input: SandboxInput, network: boolean): () => Promise<Candidate> {
  let probed: Promise<Candidate> | null = null;
  const probe = async () => {
    for (const candidate of candidatesFor({ ...input, network })) {
      if (input.isRequired === true && !candidate.hidesScans) throw notIsolated();
      if (await canRun(input, candidate)) return candidate;
    }
    return { ...NO_FENCE, hidesScans: false };
  };
  return () => {
    // A probe that failed to run proves nothing, so the next call probes again.
    probed ??= probe().catch((err: unknown) => {
      probed = null;
      throw err;
    });
    return probed;
  };
}

function notIsolated(): SecuError {
  return new SecuError('scanner_crashed', 'programs cannot be isolated, and SECU_REQUIRE_ISOLATION is set', {
    details: { problem: 'not_isolated' },
  });
}

async function canRun(input: SandboxInput, { namespaces, hidesScans }: Candidate): Promise<boolean> {
  const mounts = hidesScans ? mountsFor(input, { network: false, writable: [] }) : null;
  const { exitCode } = await runProcess({
    command: 'true',
    args: [],
    fence: { namespaces, mounts },
    env: { PATH: SYSTEM_PATH },
    limits: SCANNER_LIMITS,
    folder: input.folder,
    maxStdoutBytes: 1024,
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  return exitCode === 0;
}

/** Hides the folders of all scans, and shows those that the program may use. */
function mountsFor({ view }: { view: ViewFolders | null }, access: Access): Fence['mounts'] {
  const folder = memoryFolder();
  if (view === null || folder === null) return null;
  const { scansFolder } = view;
  const hide = (target: string): Mount => ({ source: 'hidden', target, type: 'tmpfs', options: EMPTY_TMPFS });
  const show = (path: string, options: readonly string[]): Mount[] =>
    path.startsWith(`${scansFolder}/`)
      ? [
          {
            source: ALL_SCANS + path.slice(scansFolder.length),
            target: path,
            type: 'bind',
            options: ['X-mount.mkdir', ...options],
          },
        ]
      : [];
  const readOnly = ['ro', ...DATA_ONLY];
  return {
    folder,
    fstab: fstabOf([
      hide(scansFolder),
      ...access.writable.flatMap((path) => show(path, [])),
      ...(access.readable ?? []).flatMap((path) => show(path, readOnly)),
      hide(RUNNER_ONLY),
    ]),
  };
}
