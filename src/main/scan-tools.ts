import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import type { GitRemote, Scanners } from '../domain/ports.ts';
import { SCANNER_NAMES } from '../domain/scan.ts';
import { listTools } from '../embedded/tools.ts';
import { assertGitPinsAddresses } from '../git/probe.ts';
import type { GitRemoteOptions } from '../git/remote.ts';
import { createGitRemote, folderForTokens } from '../git/remote.ts';
import type { Log } from '../log/logger.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';
import { createRunner } from '../process-runner/runner.ts';
import { findScannerTools } from '../scanners/registry.ts';
import type { ScannersOptions } from '../scanners/scanners.ts';
import { createScanners } from '../scanners/scanners.ts';
import type { Isolation } from '../subprocess/sandbox.ts';

const HEAD_TIMEOUT_MS = 30_000;

/**
 * Git and the scanners of this machine, in the process runner. A missing scanner makes scans incomplete, never clean.
 */
export async function createScanTools(input: { config: Config; policy: OutboundPolicy; log: Log }): Promise<{
  git: GitRemote;
  scanners: Scanners;
  isolation: () => Promise<Isolation>;
  close(): Promise<void>;
}> {
  const { config, policy, log } = input;
  const workFolder = join(config.home, 'work', 'tools');
  await mkdir(workFolder, { recursive: true, mode: 0o700 });
  const manifest = await listTools({ paths: config.toolPaths });
  const tools = findScannerTools(
    new Map(manifest.flatMap(({ name, tool }) => (tool === null ? [] : [[name, tool] as const]))),
  );
  for (const name of SCANNER_NAMES)
    if (tools[name] === null)
      log.warn({}, `${name} is not installed: scans that need it will be incomplete; see "secu doctor"`);
  const scanners: ScannersOptions = {
    tools,
    workFolder,
    blobMaxBytes: config.limits.blobMaxBytes,
    scanTimeoutMs: config.limits.scanTimeoutMs,
    concurrency: config.limits.scanSlots,
  };
  folderForTokens(); // fails now instead of in the first clone
  await assertGitPinsAddresses({ workFolder });
  const runner = createRunner({
    options: { git: gitOptions({ config, workFolder }), scanners },
    environment: readEnvironment(),
    routeFor: async (url) => ({ pin: await policy.pinFor(url), proxy: policy.proxyFor(new URL(url)) }),
    onComplaint: (text) => log.error({ text }, 'the process runner wrote to standard error before it exited'),
  });
  const { rules, ruleIds, ...local } = createScanners(scanners);
  return {
    git: runner.git,
    scanners: { rules, ruleIds, scan: runner.scan },
    isolation: () => local.isolation(),
    close: () => runner.close(),
  };
}

/** Git with the limits and policies of this installation. `workFolder` holds its files outside of clones. */
export function createGit(input: { config: Config; policy: OutboundPolicy; workFolder: string }): GitRemote {
  const { policy } = input;
  return createGitRemote({
    ...gitOptions(input),
    pinFor: (url) => policy.pinFor(url),
    proxyFor: (url) => policy.proxyFor(url),
  });
}

function gitOptions(input: {
  config: Config;
  workFolder: string;
}): Omit<GitRemoteOptions, 'pinFor' | 'proxyFor'> {
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
