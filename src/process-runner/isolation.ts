import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IsolationLevel } from '../domain/isolation.ts';
import { memoryFolder, openMemoryFile } from '../subprocess/memory-file.ts';
import { fstabOf } from '../subprocess/mounts.ts';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';
import type { ViewFolders } from '../subprocess/view.ts';
import { COMPILE_CACHE, viewOf } from '../subprocess/view.ts';

const ISOLATE = fileURLToPath(new URL('../subprocess/isolate.sh', import.meta.url));
/** The user of the runner when Secu runs as root. No account has it. @see systemd.io/UIDS-GIDS, "unused" */
export const RUNNER_UID = 65_530;
const PROBE_TIMEOUT_MS = 10_000;
const WITHOUT_RIGHTS = ['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'];

export interface RunnerFolders extends ViewFolders {
  /** An empty folder, where the file system of the runner is set up. */
  rootFolder: string;
}

/** How the runner is started. */
export interface RunnerIsolation {
  level: Extract<IsolationLevel, 'namespaces' | 'uid' | 'none'>;
  /** The command that starts the runner; the command of the runner is appended. */
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Passed as descriptor 4. */
  mounts: { folder: string; fstab: string } | null;
  /** The own user of the runner; its folders are given to it. */
  uid: number | null;
  /** Set if the runner has its own file system. */
  view: ViewFolders | null;
}

/** No separation from this process. */
export const NO_ISOLATION: RunnerIsolation = {
  level: 'none',
  command: [],
  env: {},
  mounts: null,
  uid: null,
  view: null,
};

/**
 * The strongest isolation that works on this machine: each candidate starts a program as the runner is started.
 * Creates the folders, and gives them to the user of the runner.
 */
export async function findIsolation(input: {
  folders: RunnerFolders;
  /** Programs outside of the system folders that the runner starts. */
  programs: readonly string[];
}): Promise<RunnerIsolation> {
  const { scansFolder, toolsFolder, cacheFolder, rootFolder } = input.folders;
  for (const folder of [scansFolder, toolsFolder, cacheFolder, rootFolder])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const candidate of process.getuid?.() === 0 ? rootCandidates(input) : userCandidates(input)) {
    if (candidate.uid !== null) giveFolders(input.folders, candidate);
    if (await canStart(input, candidate)) return candidate;
  }
  return NO_ISOLATION;
}

/** Lets the runner write to the folder of one scan. */
export function giveScanFolder({ uid }: RunnerIsolation, folder: string): void {
  if (uid === null) return;
  chmodSync(dirname(folder), 0o711);
  chownSync(folder, uid, uid);
}

type Input = Parameters<typeof findIsolation>[0];

function rootCandidates(input: Input): RunnerIsolation[] {
  const id = String(RUNNER_UID);
  const drop = ['setpriv', '--reuid', id, '--regid', id, '--clear-groups', ...WITHOUT_RIGHTS, '--'];
  return [
    ...namespaceCandidates(input, { unshare: [], drop, uid: RUNNER_UID }),
    { ...NO_ISOLATION, level: 'uid', command: drop, uid: RUNNER_UID },
  ];
}

function userCandidates(input: Input): RunnerIsolation[] {
  // a second user namespace, without rights in the first: the runner cannot undo its mounts
  const drop = [
    'unshare',
    '-U',
    `--map-user=${process.getuid?.()}`,
    `--map-group=${process.getgid?.()}`,
    '--',
    'setpriv',
    '--no-new-privs',
    '--',
  ];
  return namespaceCandidates(input, { unshare: ['-r'], drop, uid: null });
}

function namespaceCandidates(
  { folders, programs }: Input,
  { unshare, drop, uid }: { unshare: readonly string[]; drop: readonly string[]; uid: number | null },
): RunnerIsolation[] {
  const folder = memoryFolder();
  if (folder === null) return [];
  const view = viewOf({ ...folders, root: folders.rootFolder, programs });
  const candidate = (namespaces: readonly string[], isInit: boolean): RunnerIsolation => ({
    level: 'namespaces',
    command: ['unshare', ...unshare, ...namespaces, '--', '/bin/sh', ISOLATE, ...drop],
    env: {
      SECU_VIEW: folders.rootFolder,
      SECU_VIEW_FOLDERS: view.folders.join('\n'),
      SECU_VIEW_FILES: view.files.join('\n'),
      SECU_VIEW_INIT: isInit ? '1' : '0',
    },
    mounts: { folder, fstab: fstabOf(view.mounts) },
    uid,
    view: folders,
  });
  // a container with masked files below /proc allows no new /proc
  return [candidate(['-m', '-p', '-f', '--kill-child'], true), candidate(['-m'], false)];
}

/**
 * With its own file system, the runner sees its folders without their parents. Otherwise it must be able to pass through
 * `SECU_HOME` and `SECU_HOME/work`, whose content stays hidden from it.
 */
function giveFolders(
  { scansFolder, toolsFolder, cacheFolder }: RunnerFolders,
  { uid, view }: RunnerIsolation,
): void {
  if (uid === null) return;
  chownSync(cacheFolder, uid, uid);
  const work = dirname(scansFolder);
  for (const folder of [scansFolder, toolsFolder, ...(view === null ? [work, dirname(work)] : [])])
    chmodSync(folder, (statSync(folder).mode & 0o777) | 0o001);
}

/** Starts Node as the runner is started, and tests that it can use its folders, Secu's code and the programs. */
async function canStart({ folders, programs }: Input, isolation: RunnerIsolation): Promise<boolean> {
  const { scansFolder, toolsFolder } = folders;
  const script =
    'test -x "$1" && test -x "$2" && test -r "$3" && node=$4 && shift 4 && for file; do test -r "$file" || exit; done && exec "$node" --version';
  const needed = [scansFolder, toolsFolder, ISOLATE, process.execPath, ...programs];
  const command = ['/bin/sh', '-c', script, 'sh', ...needed];
  const child = spawnIsolated(isolation, command, {
    stdio: ['ignore', 'ignore', 'ignore', 'ignore'],
    env: { PATH: SYSTEM_PATH },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_TIMEOUT_MS);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } catch {
    return false; // a program is not installed
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a program as `isolation` says. `stdio` has four entries, because descriptor 4 carries the mounts. */
export function spawnIsolated(
  isolation: RunnerIsolation,
  command: readonly string[],
  options: { stdio: ('ignore' | 'pipe' | 'ipc')[]; env: Readonly<Record<string, string | undefined>> },
) {
  const [program = '', ...args] = [...isolation.command, ...command];
  const mounts =
    isolation.mounts === null
      ? null
      : openMemoryFile({ folder: isolation.mounts.folder, content: isolation.mounts.fstab });
  try {
    return spawn(program, args, {
      env: { ...options.env, ...isolation.env },
      stdio: [...options.stdio, ...(mounts === null ? [] : [mounts.fd])],
    });
  } finally {
    mounts?.close();
  }
}

/** An isolated runner must not write to the compile cache of Secu. */
export function compileCacheOf({ view }: RunnerIsolation): string | null {
  return view === null ? null : COMPILE_CACHE;
}
