import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecuError } from '../../src/domain/errors.ts';
import type { ScannedFinding } from '../../src/domain/finding.ts';
import type { GitRemote, RemoteErrorCode, Scanners, ScanReport } from '../../src/domain/ports.ts';
import type { ScannerRun, ScanTask } from '../../src/domain/scan.ts';
import { NOTHING_UNREAD } from '../../src/domain/scan.ts';
import type { TestWorld } from '../support/world.ts';
import { repositoriesOf, sync } from './listing-support.ts';
import type { Activities } from './support.ts';
import { active } from './support.ts';

export const COMMIT = 'c'.repeat(40);

/** A clone that completes at once: one file, this commit. */
export function instantGit(clone?: (input: Parameters<GitRemote['clone']>[0]) => Promise<void>): GitRemote {
  return {
    readHead: async () => ({ commit: COMMIT }),
    listBranches: async () => ({ head: COMMIT, tips: [], hasUnusable: false }),
    async clone(input) {
      await mkdir(input.directory, { recursive: true });
      await writeFile(join(input.directory, 'HEAD'), 'ref: refs/heads/main\n');
      await clone?.(input);
      const { directory, history, known = [] } = input;
      return {
        gitDirectory: directory,
        commit: COMMIT,
        branch: null,
        tips: [],
        isWhole: false,
        history,
        continues: [...known],
        bytes: 21,
        ms: 3,
      };
    },
  };
}

/** A git that fails every clone with this code. */
export function refusingGit(code: RemoteErrorCode): GitRemote {
  return instantGit(async () => {
    throw new SecuError(code, 'git could not read the repository');
  });
}

export function scannerRun(own: Partial<ScannerRun> = {}): ScannerRun {
  return {
    name: 'gitleaks',
    version: '8.30.1',
    rules: 'sha256:of-the-test',
    status: 'ok',
    cause: null,
    findings: 0,
    filesScanned: 1,
    filesSkipped: [],
    durationMs: 1,
    ...own,
  };
}

export function finding(own: Partial<ScannedFinding> = {}): ScannedFinding {
  return {
    kind: 'secret',
    scanner: 'gitleaks',
    ruleId: 'generic-api-key',
    title: 'A key',
    severity: 'high',
    cwe: ['CWE-798'],
    path: 'app.env',
    startLine: 1,
    endLine: 1,
    commit: COMMIT,
    author: 'jdoe',
    committedAt: '2026-01-01T00:00:00Z',
    atHead: true,
    introduced: null,
    excerpt: 'KEY=****',
    fingerprint: 'v1:one',
    ...own,
  };
}

/** Scanners that return this report. */
export function reporting(
  report: (input: Parameters<Scanners['scan']>[0]) => {
    runs?: ScannerRun[];
    findings?: ScannedFinding[];
    unread?: Partial<Pick<ScanReport, 'incompleteBecause' | 'unreadPaths' | 'unreadCommits'>>;
  },
  ruleIds: Scanners['ruleIds'] = {
    gitleaks: ['aws-access-token', 'github-pat', 'generic-api-key'],
    'ast-grep': [],
  },
): Scanners {
  return {
    rules: 'sha256:of-the-test',
    ruleIds,
    async scan(input) {
      const { runs, findings = [], unread = {} } = report(input);
      return {
        runs: runs ?? [scannerRun({ findings: findings.length })],
        findings,
        ...NOTHING_UNREAD,
        ...unread,
      };
    },
  };
}

/** An active integration with one repository and a queued scan of it. */
export async function queuedScan(world: TestWorld, activities: Activities): Promise<ScanTask> {
  const { integrationId } = await active(world, activities);
  await sync(activities, integrationId);
  const [repository] = await repositoriesOf(world, integrationId);
  if (repository === undefined) throw new Error('nothing was listed');
  return { integrationId, repositoryId: repository.id, scanId: await openScan(world, repository.id) };
}

export async function openScan(world: TestWorld, repositoryId: string): Promise<string> {
  return world.database.stores.scans.requestScan({ repositoryId, full: false, now: new Date() });
}
