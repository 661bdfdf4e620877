import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Isolation } from '../domain/isolation.ts';
import type { GitRemote, Scanners } from '../domain/ports.ts';
import { SCANNER_NAMES } from '../domain/scan.ts';
import { assertGitPinsAddresses } from '../git/probe.ts';
import { folderForTokens } from '../git/remote.ts';
import type { Log } from '../log/logger.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';
import { prepareRunner } from './isolated-runner.ts';

/**
 * Git and the scanners of this machine, in the process runner. A missing scanner makes scans incomplete, never clean.
 */
export async function createScanTools(input: { config: Config; policy: OutboundPolicy; log: Log }): Promise<{
  git: GitRemote;
  scanners: Scanners;
  isolation: () => Promise<Isolation>;
  close(): Promise<void>;
}> {
  const { config, log } = input;
  const workFolder = join(config.home, 'work', 'tools');
  await mkdir(workFolder, { recursive: true, mode: 0o700 });
  folderForTokens(); // fails now instead of in the first clone
  await assertGitPinsAddresses({ workFolder });
  const isolated = await prepareRunner({ ...input, home: config.home });
  for (const name of SCANNER_NAMES)
    if (isolated.tools[name] === null)
      log.warn({}, `${name} is not installed: scans that need it will be incomplete; see "secu doctor"`);
  const runner = isolated.open();
  const { rules, ruleIds } = isolated;
  return {
    git: runner.git,
    scanners: { rules, ruleIds, scan: runner.scan },
    isolation: () => isolated.probe(),
    close: () => runner.close(),
  };
}
