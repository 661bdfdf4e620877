import type { Repository } from '../../db/entities/repository.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import type { ReadHistory } from '../../domain/history.ts';
import { HISTORY_GAPS, needsHistoryScan, planHistory } from '../../domain/history.ts';
import type { Branches, HistoryMode } from '../../domain/integration.ts';
import type { BranchTip, CloneResult, ScanReport } from '../../domain/ports.ts';
import type { IncompleteReason, ScanHistory } from '../../domain/scan.ts';
import { SECRETS_SCANNER } from '../../domain/scan.ts';
import type { ScanDeps } from '../deps.ts';

/** How much of the history a scan will read, and what was read before. */
export interface HistoryPlan {
  mode: HistoryMode;
  history: ScanHistory;
  read: ReadHistory;
}

export async function planScanHistory(input: {
  deps: ScanDeps;
  integration: Pick<IntegrationRow, 'history'>;
  repository: Repository;
  requested: ScanHistory;
}): Promise<HistoryPlan> {
  const { deps, integration, repository, requested } = input;
  const mode = integration.history ?? deps.settings.history;
  const refs = mode === 'off' ? [] : await deps.database.stores.histories.readRefs(repository.id);
  const read: ReadHistory = {
    rules: repository.historyRules ?? null,
    cause: repository.historyCause ?? null,
    triedAt: repository.historyReadAt ?? null,
    refs,
  };
  return { mode, history: planHistory({ mode, requested, read, rules: deps.scanners.rules }), read };
}

/**
 * Whether this scan reads branches other than the default one. The first scan does not if a scan of the history of all
 * branches follows.
 */
export function readsOtherBranches({ mode, history }: HistoryPlan, branches: Branches): boolean {
  return branches.mode !== 'default' && (history !== 'none' || mode !== 'full');
}

/**
 * Why this scan cannot prove that the repository is clean. Commits that an earlier scan could not read are a reason too.
 */
export function incompleteReasons({
  report,
  clone,
  plan,
}: {
  report: Pick<ScanReport, 'incompleteBecause'>;
  clone: Pick<CloneResult, 'history'> & { hasMoreBranches: boolean };
  plan: HistoryPlan;
}): IncompleteReason[] {
  const reasons = new Set(report.incompleteBecause);
  if (clone.hasMoreBranches) reasons.add('branches_unread');
  const gap = HISTORY_GAPS.find((reason) => reason === plan.read.cause);
  if (clone.history === 'since' && gap !== undefined) reasons.add(gap);
  return [...reasons];
}

/** The default branch with its commit. It is named HEAD if GitLab names no default branch. */
export function defaultRef(
  { repository, clone }: { repository: Repository; clone: CloneResult },
  commit: string,
): BranchTip {
  return { name: clone.branch ?? repository.defaultBranch ?? 'HEAD', commit };
}

/** Whether the scanner that also reads the history ended well; otherwise nothing of the history was read. */
function hasSecretsScan({ runs }: Pick<ScanReport, 'runs'>): boolean {
  return runs.some(({ name, status }) => name === SECRETS_SCANNER && status === 'ok');
}

interface ScannedHistory {
  deps: ScanDeps;
  plan: HistoryPlan;
  repository: Repository;
  clone: CloneResult;
  report: ScanReport;
  now: Date;
}

/**
 * Records how far the history was read, in the transaction that ends the scan. With the mode `since`, the history
 * begins at the head of the first scan.
 */
export async function recordHistory(tx: Stores, input: ScannedHistory): Promise<void> {
  const { deps, plan, repository, clone, report, now } = input;
  const { mode, read } = plan;
  if (clone.commit === null) return;
  const isScanned = hasSecretsScan(report);
  const isWhole = mode !== 'off' && isScanned && (clone.history === 'full' || clone.isWhole);
  const isSince = isScanned && clone.history === 'since';
  // where the history of the mode `since` begins, whatever the first scan could read
  const isBeginning = mode === 'since' && clone.history === 'none';
  // without history, the branches are recorded only to notice new commits in them
  const isOff = mode === 'off' && clone.tips.length > 0;
  if (!isWhole && !isSince && !isBeginning && !isOff) return;
  const refs = new Map([...clone.tips, defaultRef(input, clone.commit)].map((ref) => [ref.name, ref]));
  const gap = HISTORY_GAPS.find((reason) => report.incompleteBecause.includes(reason));
  await tx.histories.recordRead({
    repositoryId: repository.id,
    refs: [...refs.values()],
    rules: isWhole ? deps.scanners.rules : read.rules,
    // the cause remains until the whole history is read again
    cause: gap !== undefined && clone.history !== 'none' ? gap : isWhole ? null : read.cause,
    now,
  });
}

/** After a scan of the head, queues a scan of the whole history if one is due. @returns whether it queued one */
export async function queueHistory(tx: Stores, input: ScannedHistory): Promise<boolean> {
  const { deps, plan, repository, clone, report, now } = input;
  const { mode, read } = plan;
  if (clone.commit === null || clone.history !== 'none' || clone.isWhole) return false;
  if (!hasSecretsScan(report)) return false;
  if (!needsHistoryScan({ mode, read, rules: deps.scanners.rules, now })) return false;
  const queued = await tx.scans.queue({
    repositoryIds: [repository.id],
    trigger: 'history',
    history: 'full',
    now,
  });
  return queued > 0;
}
