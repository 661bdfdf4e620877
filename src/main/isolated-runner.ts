import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { secretFilesOf } from '../config/secret-files.ts';
import type { Isolation } from '../domain/isolation.ts';
import type { Scanners } from '../domain/ports.ts';
import { listTools } from '../embedded/tools.ts';
import type { GitRemoteOptions } from '../git/remote.ts';
import { writeRoots } from '../git/roots.ts';
import type { Log } from '../log/logger.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';
import type { RunnerFolders, RunnerIsolation } from '../process-runner/isolation.ts';
import { findIsolation, giveScanFolder } from '../process-runner/isolation.ts';
import type { Runner } from '../process-runner/runner.ts';
import { createRunner } from '../process-runner/runner.ts';
import type { ToolChoice } from '../scanners/registry.ts';
import { findScannerTools } from '../scanners/registry.ts';
import type { ScannersOptions } from '../scanners/scanners.ts';
import { createScanners } from '../scanners/scanners.ts';

const HEAD_TIMEOUT_MS = 30_000;
const PROBE_TIMEOUT_MS = 30_000;

/** The process runner of this machine, in the strongest isolation that works here. */
export interface IsolatedRunner extends Pick<Scanners, 'rules' | 'ruleIds'> {
  tools: ToolChoice;
  open(): Runner;
  /** Runs a program as scanners are run, which tries to reach what is protected. */
  probe(): Promise<Isolation>;
}

/** `home` holds the folders of scans and of the runner. */
export async function prepareRunner(input: {
  config: Config;
  policy: OutboundPolicy;
  home: string;
  log: Log | null;
}): Promise<IsolatedRunner> {
  const { config, policy, home, log } = input;
  const folders: RunnerFolders = {
    scansFolder: join(home, 'work', 'scans'),
    toolsFolder: join(home, 'work', 'tools'),
    cacheFolder: join(home, 'work', 'compiled'),
    rootFolder: join(home, 'work', 'root'),
  };
  const manifest = await listTools({ paths: config.toolPaths });
  const installed = manifest.flatMap(({ name, tool }) => (tool === null ? [] : [[name, tool] as const]));
  const scanners: ScannersOptions = {
    tools: findScannerTools(new Map(installed)),
    workFolder: folders.toolsFolder,
    blobMaxBytes: config.limits.blobMaxBytes,
    scanTimeoutMs: config.limits.scanTimeoutMs,
    concurrency: config.limits.scanSlots,
  };
  const programs = installed.map(([, { path }]) => path);
  const isolation = await findIsolation({ folders, programs });
  const { rules, ruleIds } = createScanners(scanners); // writes the rules, which the runner reads
  const { caPem } = config.network;
  if (caPem !== null) writeRoots({ folder: folders.toolsFolder, caPem });
  const openRunner = (requireIsolation: boolean) =>
    createRunner({
      isolation,
      options: { git: gitOptions({ config, workFolder: folders.toolsFolder }), scanners, requireIsolation },
      environment: readEnvironment(),
      routeFor: async (url) => ({ pin: await policy.pinFor(url), proxy: policy.proxyFor(new URL(url)) }),
      onStderr: (text) => log?.error({ text }, 'the process runner wrote to standard error before it exited'),
    });
  return {
    tools: scanners.tools,
    rules,
    ruleIds,
    open: () => openRunner(config.requireIsolation),
    probe: () => probeIsolation({ open: () => openRunner(false), isolation, folders, home, config }),
  };
}

/** Git with the limits and policies of this installation. `workFolder` holds its files outside of clones. */
function gitOptions(input: {
  config: Config;
  workFolder: string;
}): Omit<GitRemoteOptions, 'pinFor' | 'proxyFor' | 'sandbox'> {
  const { config, workFolder } = input;
  return {
    workFolder,
    caPem: config.network.caPem ?? undefined,
    clonesPerOrigin: config.gitlab.clones,
    cloneTimeoutMs: config.limits.cloneTimeoutMs,
    cloneMaxBytes: config.limits.cloneMaxBytes,
    headTimeoutMs: HEAD_TIMEOUT_MS,
  };
}

/** Uses a runner of its own, which stores its compiled code when it ends: the next one starts faster. */
async function probeIsolation(input: {
  open: () => Runner;
  isolation: RunnerIsolation;
  folders: RunnerFolders;
  home: string;
  config: Config;
}): Promise<Isolation> {
  const { open, isolation, folders, home, config } = input;
  const ownFolder = await mkdtemp(join(folders.scansFolder, 'probe-'));
  const otherFolder = await mkdtemp(join(folders.scansFolder, 'probe-'));
  const keyFolder = await mkdtemp(join(home, 'work', 'key-'));
  const runner = open();
  try {
    const key = join(keyFolder, 'key');
    await writeFile(key, 'a key', { mode: 0o600 });
    giveScanFolder(isolation, otherFolder);
    const reachable = await runner.probe({
      ownFolder,
      otherFolder,
      keyPaths: [key, join(config.home, 'keys'), ...secretFilesOf(readEnvironment())],
      pid: process.pid,
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    const level =
      isolation.level === 'none' && !reachable.includes('network') ? 'network_only' : isolation.level;
    return { level, reachable };
  } finally {
    await runner.close();
    for (const folder of [ownFolder, otherFolder, keyFolder])
      await rm(folder, { recursive: true, force: true });
  }
}

/** A folder for a probe without side effects on the installation. */
export async function probeInTemporaryHome(input: {
  config: Config;
  policy: OutboundPolicy;
  parent: string;
}): Promise<Isolation> {
  const { config, policy, parent } = input;
  await mkdir(parent, { recursive: true });
  const home = await mkdtemp(join(parent, 'secu-probe-'));
  try {
    return await (await prepareRunner({ config, policy, home, log: null })).probe();
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
