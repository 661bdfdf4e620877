import { join } from 'node:path';
import { toolPath } from '../../../harness/tools.ts';
import type { GitRemote, Scanners } from '../../../src/domain/ports.ts';
import { createGitRemote } from '../../../src/git/remote.ts';
import type { OutboundPolicy } from '../../../src/outbound/policy.ts';
import { findAstGrep } from '../../../src/scanners/ast-grep/find.ts';
import { createScanners } from '../../../src/scanners/scanners.ts';

/** The real git, hardened as in production. */
export function realGit({ policy, workFolder }: { policy: OutboundPolicy; workFolder: string }): GitRemote {
  return createGitRemote({
    workFolder: join(workFolder, 'git'),
    pinFor: (url) => policy.pinFor(url),
    proxyFor: (url) => policy.proxyFor(url),
    clonesPerOrigin: 4,
    cloneTimeoutMs: 60_000,
    cloneMaxBytes: 1024 ** 3,
    headTimeoutMs: 30_000,
  });
}

/** The real scanners. */
export async function realScanners({ workFolder }: { workFolder: string }): Promise<Scanners> {
  return createScanners({
    tools: {
      gitleaks: { path: await toolPath('gitleaks'), version: 'pinned' },
      'ast-grep': findAstGrep(),
    },
    workFolder: join(workFolder, 'scanners'),
    blobMaxBytes: 10 * 1024 ** 2,
    scanTimeoutMs: 60_000,
    concurrency: 2,
  });
}
