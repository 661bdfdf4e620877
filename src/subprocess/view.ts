import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mount } from './mounts.ts';
import { restrictionsOf } from './mounts.ts';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
/** Programs, libraries, certificates and name resolution. Nothing here is a secret of Secu. */
const SYSTEM = [
  '/usr /bin /sbin /lib /lib32 /lib64 /libx32 /nix/store',
  '/etc/ssl /etc/pki /etc/ca-certificates /etc/alternatives /etc/ld.so.conf.d /etc/ld.so.cache /etc/ld.so.conf',
  '/etc/localtime /etc/passwd /etc/group /etc/resolv.conf /etc/hosts /etc/nsswitch.conf /etc/host.conf /etc/gai.conf',
].flatMap((paths) => paths.split(' '));
const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'];
const SHARED_MEMORY = ['mode=1777', 'size=64m', 'nosuid', 'nodev', 'noexec'];
/** Only the runner sees this folder: its programs hide it. */
export const RUNNER_ONLY = '/secu';
/** Where programs find the scan folders before they hide those of other scans. */
export const ALL_SCANS = join(RUNNER_ONLY, 'scans');
export const COMPILE_CACHE = join(RUNNER_ONLY, 'compiled');
/** Nothing in a folder of Secu is a program or a device. */
export const DATA_ONLY = ['nosuid', 'nodev', 'noexec'] as const;

export interface ViewFolders {
  /** Holds the folder of every scan. */
  scansFolder: string;
  /** Files that programs share, such as scanner rules. The runner only reads them. */
  toolsFolder: string;
  /** The compile cache of the runner. */
  cacheFolder: string;
}

/** A file system for the runner. `isolate.sh` sets it up. */
export interface View {
  /** Folders and files to create, relative to its root. */
  folders: string[];
  files: string[];
  mounts: Mount[];
}

/** The file system that the runner needs, below `root`; `programs` are executables and libraries outside of the system folders. */
export function viewOf(input: ViewFolders & { root: string; programs: readonly string[] }): View {
  const { root, scansFolder, toolsFolder, cacheFolder, programs } = input;
  const readOnly = withoutNestedPaths(
    [...SYSTEM, ...ownPrograms(), ...programs].filter((path) => existsSync(path)),
  );
  const devices = DEVICES.filter((path) => existsSync(path));
  const bind = (source: string, target: string, options: readonly string[]): Mount => ({
    source,
    target: join(root, target),
    type: 'bind',
    options: [...new Set(options)],
  });
  const files = [...readOnly.filter((path) => !statSync(path).isDirectory()), ...devices];
  const folders = [
    scansFolder,
    toolsFolder,
    ALL_SCANS,
    COMPILE_CACHE,
    '/dev/shm',
    '/proc',
    '/tmp',
    '/machine',
  ];
  return {
    files: files.map(relativeToRoot),
    folders: [
      ...folders,
      ...files.map((file) => dirname(file)),
      ...readOnly.filter((path) => !files.includes(path)),
    ].map(relativeToRoot),
    mounts: [
      ...readOnly.map((path) => bind(path, path, ['ro', 'nosuid', 'nodev', ...restrictionsOf(path)])),
      ...devices.map((path) => bind(path, path, [])),
      { source: 'memory', target: join(root, '/dev/shm'), type: 'tmpfs', options: SHARED_MEMORY },
      bind(scansFolder, scansFolder, [...DATA_ONLY, ...restrictionsOf(scansFolder)]),
      bind(scansFolder, ALL_SCANS, [...DATA_ONLY, ...restrictionsOf(scansFolder)]),
      bind(cacheFolder, COMPILE_CACHE, [...DATA_ONLY, ...restrictionsOf(cacheFolder)]),
      bind(toolsFolder, toolsFolder, ['ro', ...DATA_ONLY, ...restrictionsOf(toolsFolder)]),
    ],
  };
}

/** Secu's code and its dependencies, without folders of the operator beside them. */
function ownPrograms(): string[] {
  const paths = ['src', 'tools', 'package.json'].map((name) => join(PACKAGE, name));
  for (let folder = dirname(join(PACKAGE, 'x')); ; folder = dirname(folder)) {
    paths.push(join(folder, 'node_modules'));
    if (folder === dirname(folder)) break;
  }
  return [...paths, process.execPath];
}

/** Removes paths that are inside another path of the list. */
function withoutNestedPaths(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => path.startsWith(`${other}/`)));
}

function relativeToRoot(path: string): string {
  return relative('/', path) || '.';
}
