import type { Repository } from '../../db/entities/repository.ts';
import type { FindingChange, SearchedBy } from '../../db/stores/findings.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { OutboxEntry } from '../../db/stores/outbox.ts';
import type { BegunScan, EndedRow } from '../../db/stores/scan-attempts.ts';
import { sendWakes } from '../../db/wakes.ts';
import { SecuError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { CloneResult, ScanReport } from '../../domain/ports.ts';
import type { IncompleteReason, ScannedRef, ScanOutcome, ScanResult, ScanTask } from '../../domain/scan.ts';
import { SCANNER_NAMES } from '../../domain/scan.ts';
import type { ScanDeps } from '../deps.ts';
import { queueHookScanAgain } from './end-scan.ts';
import type { HistoryPlan } from './history.ts';
import { defaultRef, queueHistory, recordHistory } from './history.ts';

/** The number of unread commits that the event names. */
const MAX_NAMED_COMMITS = 20;

interface StoreInput {
  deps: ScanDeps;
  input: ScanTask;
  scan: BegunScan;
  repository: Repository;
  plan: HistoryPlan;
  clone: CloneResult;
  report: ScanReport;
  /** Why the outcome is no proof: gaps of the report, and what was not read before. */
  incompleteBecause: readonly IncompleteReason[];
  outcome: ScanOutcome;
  now: Date;
}

/**
 * The error of an attempt whose scan was canceled in its row or taken by another attempt. It is not a Temporal
 * cancellation: Temporal rejects one that it did not request.
 */
export function overtaken(): SecuError {
  return new SecuError('canceled', 'another attempt or a cancel came in between');
}

/**
 * Stores findings, counters, the end of the scan and its events in one transaction, only for the attempt that
 * still holds the scan.
 */
export async function storeScan(store: StoreInput): Promise<ScanResult> {
  const { deps, input, scan, clone, report, outcome, now } = store;
  const { ended, wakes, queuedMore } = await deps.database.transaction(async (tx) => {
    const ended = await tx.scans.end({
      id: scan.id,
      attempt: scan.attempt,
      status: 'succeeded',
      outcome,
      cause: null,
      commit: clone.commit,
      cloneBytes: clone.bytes,
      cloneMs: clone.ms,
      history: clone.history,
      refs: refsOf(store),
      incompleteBecause: store.incompleteBecause,
      now,
    });
    if (ended === null) throw overtaken();
    await tx.scans.recordScanners({ scanId: scan.id, runs: report.runs });
    const change = await tx.findings.store({
      integrationId: input.integrationId,
      repositoryId: input.repositoryId,
      scanId: scan.id,
      findings: report.findings,
      searched: searchedBy(store),
      wholeHistory: clone.history === 'full',
      now,
    });
    await tx.findings.markScanned({
      repositoryId: input.repositoryId,
      scanId: scan.id,
      commit: clone.commit,
      rules: deps.scanners.rules,
      succeeded: true,
      now,
    });
    await recordHistory(tx, store);
    const queuedMore = await queueHistory(tx, store);
    await tx.events.add(eventsOf({ store, change, first: isFirst(store) }), now);
    return { ended, wakes: await queueFollowUp({ tx, ended, now }), queuedMore };
  });
  deps.metrics.scanEnded({
    ...ended,
    status: 'succeeded',
    outcome,
    cause: null,
    cloneMs: clone.ms,
    cloneBytes: clone.bytes,
    runs: report.runs,
  });
  await sendWakes(deps, wakes);
  const findings = report.findings.length;
  return { scanId: scan.id, status: 'succeeded', outcome, cause: null, findings, queuedMore };
}

/** The scan that was requested, or announced by a hook, while this one ran. */
async function queueFollowUp(input: { tx: Stores; ended: EndedRow; now: Date }): Promise<OutboxEntry[]> {
  const { tx, ended, now } = input;
  if (!ended.fullAgain) return queueHookScanAgain(input);
  const { repositoryId, integrationId, requestId } = ended;
  const repositoryIds = [repositoryId];
  await tx.scans.queue({ repositoryIds, trigger: 'manual', history: 'full', requestId, now });
  return [await tx.outbox.add({ kind: 'wake_fleet', integrationId, now })];
}

/**
 * What each scanner searched for. A scanner that no longer applies to any file proves that its files are gone. A
 * report with gaps closes no finding.
 */
function searchedBy({ deps, report }: Pick<StoreInput, 'deps' | 'report'>): SearchedBy[] {
  if (report.incompleteBecause.some((reason) => reason !== 'scanner_missing')) return [];
  const complete = report.runs.filter(({ status }) => status === 'ok' || status === 'not_applicable');
  return SCANNER_NAMES.filter((scanner) => complete.some(({ name }) => name === scanner)).map((scanner) => ({
    scanner,
    ruleIds: deps.scanners.ruleIds[scanner],
    unreadPaths: report.unreadPaths[scanner] ?? [],
  }));
}

/** The scanned branches, each from the commit that was read before, if the new commits follow it. */
function refsOf(store: Pick<StoreInput, 'repository' | 'clone' | 'plan'>): ScannedRef[] {
  const { clone, plan } = store;
  if (clone.commit === null) return [];
  const before = new Map(plan.read.refs.map(({ name, commit }) => [name, commit]));
  return [defaultRef(store, clone.commit), ...clone.tips].map(({ name, commit }) => {
    const known = before.get(name);
    const continues = clone.history === 'since' && known !== undefined && clone.continues.includes(known);
    return {
      name: name === 'HEAD' ? name : `refs/heads/${name}`,
      from: continues ? known : null,
      to: commit,
    };
  });
}

/** Whether this scan is the first of the head, or of the history: what it finds is not news. */
function isFirst({ repository, scan, plan }: StoreInput): boolean {
  return repository.scannedAt === null || (scan.trigger === 'history' && plan.read.rules === null);
}

/**
 * Events of a scan. The first scan of a repository and that of its history have one summary each; later scans name each finding that is new,
 * fixed or reopened.
 */
function eventsOf({
  store,
  change,
  first,
}: {
  store: StoreInput;
  change: FindingChange;
  first: boolean;
}): NewEvent[] {
  const { input, scan, repository, outcome, report } = store;
  const base = { integrationId: input.integrationId, repositoryId: input.repositoryId, actor: 'system' };
  const of =
    (kind: NewEvent['kind'], verb: string) =>
    (finding: FindingChange['opened'][number]): NewEvent => ({
      ...base,
      kind,
      text: `${finding.ruleId} ${verb} in ${repository.fullPath}.`,
      data: { findingId: finding.id, ruleId: finding.ruleId, severity: finding.severity, scanId: scan.id },
    });
  const each = first
    ? []
    : [
        ...change.opened.map(of('finding.opened', 'was found')),
        ...change.reopened.map(of('finding.reopened', 'is back')),
        ...change.fixed.map(of('finding.fixed', 'is gone')),
      ];
  const summary: NewEvent = {
    ...base,
    kind: 'scan.finished',
    text: `${repository.fullPath} was scanned: ${outcome}, ${change.open} open.`,
    data: {
      scanId: scan.id,
      outcome,
      opened: change.opened.length,
      fixed: change.fixed.length,
      open: change.open,
      incompleteBecause: store.incompleteBecause,
      unreadCommits: report.unreadCommits.slice(0, MAX_NAMED_COMMITS),
      requestId: scan.requestId,
    },
  };
  return [...each, summary];
}
