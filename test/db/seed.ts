import type { Database } from '../../src/db/database.ts';
import { newId } from '../../src/db/new-id.ts';
import type { ClassifiedRepository } from '../../src/db/stores/listing.ts';
import type { ScannedFinding } from '../../src/domain/finding.ts';
import { DEFAULT_FILTERS } from '../../src/domain/integration.ts';
import type { ScannerRun } from '../../src/domain/scan.ts';

/** The default time of seeded rows. */
export const NOW = new Date('2026-03-01T10:00:00.000Z');

export const minutesLater = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);

export async function seedIntegration(
  database: Database,
  options: { name?: string; now?: Date } = {},
): Promise<string> {
  const id = newId('integration');
  await database.stores.integrations.create({
    id,
    name: options.name ?? `GitLab ${id}`,
    baseUrl: 'https://gitlab.example.com',
    filters: DEFAULT_FILTERS,
    autoRotate: { enabled: false, daysBefore: 14 },
    now: options.now ?? NOW,
  });
  return id;
}

export function listed(
  gitlabProjectId: number,
  change: Partial<ClassifiedRepository> = {},
): ClassifiedRepository {
  return {
    gitlabProjectId,
    fullPath: `acme/project-${gitlabProjectId}`,
    defaultBranch: 'main',
    visibility: 'private',
    lastActivityAt: '2026-02-01T08:00:00.000Z',
    empty: false,
    archived: false,
    fork: false,
    personal: false,
    pendingDeletion: false,
    repositoryDisabled: false,
    state: 'active',
    excludedBecause: null,
    ...change,
  };
}

/** Adds repositories to an integration, in the order of these GitLab IDs. @returns our IDs in that order */
export async function seedRepositories(
  database: Database,
  integrationId: string,
  repositories: readonly (number | ClassifiedRepository)[],
): Promise<string[]> {
  const page = repositories.map((each) => (typeof each === 'number' ? listed(each) : each));
  const changes = await database.stores.listing.upsertPage({ integrationId, repositories: page, now: NOW });
  const idByPath = new Map(changes.map((change) => [change.fullPath, change.id]));
  return page.map(({ fullPath }) => {
    const id = idByPath.get(fullPath);
    if (id === undefined) throw new Error(`${fullPath} was there before`);
    return id;
  });
}

export async function seedRepository(
  database: Database,
): Promise<{ integrationId: string; repositoryId: string }> {
  const integrationId = await seedIntegration(database);
  const [repositoryId] = await seedRepositories(database, integrationId, [1]);
  if (repositoryId === undefined) throw new Error('no repository');
  return { integrationId, repositoryId };
}

export function finding(name: string, change: Partial<ScannedFinding> = {}): ScannedFinding {
  return {
    kind: 'secret',
    scanner: 'gitleaks',
    ruleId: 'generic-api-key',
    title: 'A key',
    severity: 'high',
    cwe: ['CWE-798'],
    path: `config/${name}.env`,
    startLine: 4,
    endLine: 4,
    commit: 'a'.repeat(40),
    author: 'Jane',
    committedAt: '2026-01-01T00:00:00Z',
    atHead: true,
    introduced: null,
    excerpt: 'KEY=****',
    fingerprint: `v1:${name}`,
    ...change,
  };
}

export function scannerRun(change: Partial<ScannerRun> = {}): ScannerRun {
  return {
    name: 'gitleaks',
    version: '8.30.1',
    rules: 'sha256:one',
    status: 'ok',
    cause: null,
    findings: 0,
    filesScanned: 3,
    filesSkipped: [{ reason: 'binary', count: 2 }],
    durationMs: 12,
    ...change,
  };
}

/** Adds a complete scan that ends now: requested, started, with its findings stored and its repository updated. */
export async function seedScan(
  database: Database,
  input: {
    integrationId: string;
    repositoryId: string;
    findings: readonly ScannedFinding[];
    scanners?: readonly string[];
    ruleIds?: readonly string[];
    unreadPaths?: readonly string[];
    full?: boolean;
    now?: Date;
  },
) {
  const { integrationId, repositoryId, findings, full = false, now = NOW } = input;
  const scanId = await database.stores.scans.requestScan({ repositoryId, full, now });
  const scan = await database.stores.scans.begin({ id: scanId, now });
  if (scan === null) throw new Error('the scan cannot begin');
  return database.transaction(async (tx) => {
    await tx.scans.end({
      id: scanId,
      attempt: scan.attempt,
      status: 'succeeded',
      outcome: findings.length > 0 ? 'findings' : 'clean',
      cause: null,
      commit: 'a'.repeat(40),
      cloneBytes: 1_000,
      cloneMs: 10,
      now,
    });
    await tx.scans.recordScanners({ scanId, runs: [scannerRun({ findings: findings.length })] });
    const change = await tx.findings.store({
      integrationId,
      repositoryId,
      scanId,
      findings,
      searched: (input.scanners ?? ['gitleaks']).map((scanner) => ({
        scanner,
        ruleIds: input.ruleIds ?? ['generic-api-key'],
        unreadPaths: input.unreadPaths ?? [],
      })),
      wholeHistory: full,
      now,
    });
    await tx.findings.markScanned({
      repositoryId,
      scanId,
      commit: 'a'.repeat(40),
      rules: 'sha256:one',
      succeeded: true,
      now,
    });
    return { scanId, change };
  });
}
