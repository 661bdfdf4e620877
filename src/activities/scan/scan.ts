import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import type { Limiter } from '../../concurrency/limiter.ts';
import { createKeyedLimiter } from '../../concurrency/limiter.ts';
import type { Repository } from '../../db/entities/repository.ts';
import type { BegunScan } from '../../db/stores/scan-attempts.ts';
import { isSecuError, SecuError } from '../../domain/errors.ts';
import type { Branches } from '../../domain/integration.ts';
import { mayClone } from '../../domain/integration.ts';
import type { CloneResult, ScanReport } from '../../domain/ports.ts';
import type { ScanResult, ScanTask } from '../../domain/scan.ts';
import { NOTHING_UNREAD, outcomeOf, SCANNER_NAMES } from '../../domain/scan.ts';
import type { RequeueReason } from '../../domain/scan-retry.ts';
import { decideRequeue } from '../../domain/scan-retry.ts';
import type { Secret } from '../../domain/secret.ts';
import type { ScanDeps } from '../deps.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { currentCredential, isOutage, openToken } from '../token/credential.ts';
import { suspectToken, verifySoonAfterOutage } from '../token/suspect.ts';
import { listWatchedBranches } from './branches.ts';
import { endFailedScan } from './end-scan.ts';
import { scanCauseOf } from './fleet.ts';
import type { HistoryPlan } from './history.ts';
import { incompleteReasons, planScanHistory, readsOtherBranches } from './history.ts';
import { overtaken, storeScan } from './store-scan.ts';

export type ScanActivities = ReturnType<typeof createScanActivities>;

interface ScanWork {
  deps: ScanDeps;
  input: ScanTask;
  scan: BegunScan;
  repository: Repository;
  plan: HistoryPlan;
  branches: Branches;
  baseUrl: string;
  token: Secret;
  signal: AbortSignal;
  /** The folder of this scan only; removed at its end. */
  folder: string;
  /** The number of other scans that run in this worker. */
  concurrentScans: () => number;
}

type ScanRequest = Pick<ScanWork, 'deps' | 'input' | 'signal' | 'concurrentScans'>;

export function createScanActivities(deps: ScanDeps) {
  let underWay = 0;
  const turnsOf = createKeyedLimiter(deps.settings.clones);
  return {
    /** Clones one repository, scans it, stores the findings, and removes everything from the disk. */
    async scanRepository(input: ScanTask): Promise<ScanResult> {
      underWay += 1;
      try {
        return await withHeartbeat(
          () => null,
          async (signal) => {
            const request = { deps, input, signal, concurrentScans: () => underWay - 1 };
            return scanRepository(request, turnsOf(input.integrationId));
          },
        );
      } finally {
        underWay -= 1;
      }
    },
  };
}

/**
 * Waits for a clone slot before reading anything. Whether the integration may clone, and with which token, is read
 * when the clone starts, so only clones that are already running use a token that has become invalid.
 */
async function scanRepository(request: ScanRequest, limiter: Limiter): Promise<ScanResult> {
  const cloned = await limiter(request.signal, async () => {
    const work = await beginScan(request);
    if ('status' in work) return work;
    const clone = await runOrHandleFailure(work, () => cloneRepository(work));
    return 'status' in clone ? clone : { work, clone };
  });
  if ('status' in cloned) return cloned;
  const { work, clone } = cloned;
  return runOrHandleFailure(work, async () => {
    const result = await scanAndStore(work, clone);
    await removeFolder(work);
    return result;
  });
}

/** Starts the attempt. @returns its work, or a result if there is nothing to clone */
async function beginScan(request: ScanRequest): Promise<ScanWork | ScanResult> {
  const { deps, input } = request;
  const { stores } = deps.database;
  const scan = await stores.scans.begin({ id: input.scanId, now: new Date() });
  if (scan === null) return resultOfEndedScan(deps, input);
  addRequestIdToLog(deps.log, scan.requestId);
  const found = await currentCredential(stores, input.integrationId);
  const repository = await stores.repositories.find(input.repositoryId);
  const again = (reason: RequeueReason) => requeueScan({ deps, input, scan }, reason);
  if (found === null || repository === null) return again('integration_not_ready');
  const { integration, credential } = found;
  if (!mayClone(integration)) return again('integration_not_ready');
  if (await isDiskLow(deps)) return again('disk_low');

  const token = openToken({ vault: deps.vault, credential });
  const { baseUrl, branches } = integration;
  const plan = await planScanHistory({ deps, integration, repository, requested: scan.history });
  await publishProgress(request, 'scan.started', { phase: 'cloning' });
  const folder = await mkdtemp(join(deps.workFolder, `${scan.id}-`));
  return { ...request, scan, repository, plan, branches, baseUrl, token, folder };
}

/** Runs a step of the attempt. If it fails, removes the folder and decides what the error means for the scan. */
async function runOrHandleFailure<T extends object>(
  work: ScanWork,
  attempt: () => Promise<T>,
): Promise<T | ScanResult> {
  try {
    return await attempt();
  } catch (err) {
    await removeFolder(work);
    if (work.signal.aborted) throw err;
    return handleScanError(work, err);
  }
}

async function removeFolder({ folder }: ScanWork): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

type Cloned = CloneResult & { hasMoreBranches: boolean };

async function cloneRepository(work: ScanWork): Promise<Cloned> {
  const { deps, repository, plan, branches, baseUrl, token, folder, signal } = work;
  const { fullPath, defaultBranch, gitlabProjectId } = repository;
  const remote = { baseUrl, fullPath, defaultBranch, token, signal };
  const api = deps.gitlab.forToken(work);
  const watched = readsOtherBranches(plan, branches)
    ? await listWatchedBranches({ branches, git: deps.git, api, repository: { ...remote, gitlabProjectId } })
    : { tips: [], hasMore: false };
  const clone = await deps.git.clone({
    ...remote,
    directory: join(folder, 'repository.git'),
    history: plan.history,
    known: plan.read.refs.map(({ commit }) => commit),
    branches: watched.tips.map(({ name }) => name),
  });
  return { ...clone, hasMoreBranches: watched.hasMore };
}

async function scanAndStore(work: ScanWork, clone: Cloned): Promise<ScanResult> {
  const { deps, scan, repository, plan } = work;
  await enterPhase(work, 'scanning', clone.commit ?? undefined);
  const report = await scanClone(work, clone);
  await enterPhase(work, 'storing');
  const incompleteBecause = incompleteReasons({ report, clone, plan });
  const outcome = outcomeOf(report.runs, incompleteBecause);
  if (outcome.status === 'failed') {
    if (outcome.cause === 'scanner_crashed' && !isLastAttempt())
      throw new SecuError('scanner_crashed', 'a scanner did not end well');
    await endFailedScan({
      ...deps,
      scanId: scan.id,
      attempt: scan.attempt,
      status: 'failed',
      cause: outcome.cause,
      runs: report.runs,
      commit: clone.commit,
      now: new Date(),
    });
    return { scanId: scan.id, status: 'failed', outcome: null, cause: outcome.cause, findings: 0 };
  }
  return storeScan({
    deps,
    input: work.input,
    scan,
    repository,
    plan,
    clone,
    report,
    incompleteBecause,
    outcome: outcome.outcome,
    now: new Date(),
  });
}

async function scanClone(work: ScanWork, clone: Cloned): Promise<ScanReport> {
  if (clone.commit === null) return { runs: EMPTY_RUNS, findings: [], ...NOTHING_UNREAD };
  const { read } = work.plan;
  return work.deps.scanners.scan({
    gitDirectory: clone.gitDirectory,
    workDirectory: work.folder,
    commit: clone.commit,
    history: clone.history,
    tips: clone.tips.map(({ commit }) => commit),
    known: read.refs.map(({ commit }) => commit),
    concurrentScans: work.concurrentScans(),
    hash: work.deps.hash,
    signal: work.signal,
  });
}

/** Stores the result of a repository without commits; no scanner applies. */
const EMPTY_RUNS = SCANNER_NAMES.map((name) => ({
  name,
  version: null,
  rules: null,
  status: 'not_applicable' as const,
  cause: null,
  findings: 0,
  filesScanned: 0,
  filesSkipped: [],
  durationMs: 0,
}));

const MAX_ATTEMPTS = 3;

function isLastAttempt(): boolean {
  return activityInfo().attempt >= MAX_ATTEMPTS;
}

/** Decides what an error means for this scan: it waits, fails, or is tried again. */
async function handleScanError(work: ScanWork, err: unknown): Promise<ScanResult> {
  const { deps, input, scan } = work;
  if (!isSecuError(err)) {
    if (!isLastAttempt()) throw err;
    deps.log.error({ scanId: scan.id, err }, 'scan failed for a reason that has no name');
    return failScan(work, 'scanner_crashed');
  }
  if (isOutage(err)) {
    await verifySoonAfterOutage({ deps, integrationId: input.integrationId, now: new Date() });
    const isRedirect = err.code === 'gitlab_redirected';
    return requeueScan(work, isRedirect ? 'repository_redirected' : 'gateway_failed');
  }
  switch (err.code) {
    case 'canceled':
      return endScanRow(work, 'canceled', 'canceled');
    case 'token_rejected':
    case 'account_blocked':
      return handleGitRefusal(work);
    case 'repository_gone':
      // the listing still names it, so the next sync lists everything
      await deps.database.stores.integrations.requireFullSync(input.integrationId);
      return failScan(work, err.code);
    case 'token_scope_missing':
    case 'sso_session_required':
      return failScan(work, 'repository_forbidden');
    case 'clone_failed':
    case 'scanner_crashed':
      if (err.details['problem'] === 'no_space') return requeueScan(work, 'disk_low');
      // it was already tried twice, the second time alone in its own process
      if (err.details['problem'] === 'runner_ended') return failScan(work, err.code);
      if (!isLastAttempt()) throw err;
      return failScan(work, err.code);
    default:
      return failScan(work, scanCauseOf(err.code));
  }
}

/**
 * Git answers 401 both for a repository that a bot may not see and for a dead token; GitLab's API tells them
 * apart. Asking it once here prevents a dead token from being tried for every repository, for which GitLab bans
 * addresses.
 */
async function handleGitRefusal(work: ScanWork): Promise<ScanResult> {
  const { deps, input } = work;
  const self = await deps.gitlab.forToken(work).observeSelf({ signal: work.signal });
  if (self.kind === 'token' || self.kind === 'self_unreadable') return failScan(work, 'repository_forbidden');
  if (self.kind === 'no_answer') {
    await verifySoonAfterOutage({ deps, integrationId: input.integrationId, now: new Date() });
    return requeueScan(work, 'gateway_failed');
  }
  await suspectToken({ deps, integrationId: input.integrationId, now: new Date() });
  return requeueScan(work, 'integration_not_ready');
}

function failScan(work: ScanWork, cause: ReturnType<typeof scanCauseOf>): Promise<ScanResult> {
  return endScanRow(work, 'failed', cause);
}

async function endScanRow(
  { deps, scan }: Pick<ScanWork, 'deps' | 'scan'>,
  status: 'failed' | 'canceled',
  cause: ReturnType<typeof scanCauseOf>,
): Promise<ScanResult> {
  await endFailedScan({ ...deps, scanId: scan.id, attempt: scan.attempt, status, cause, now: new Date() });
  return { scanId: scan.id, status, outcome: null, cause, findings: 0 };
}

/** Requeues the scan with a back-off, or ends it if the reason lasts too long. */
async function requeueScan(
  { deps, input, scan }: Pick<ScanWork, 'deps' | 'input' | 'scan'>,
  reason: RequeueReason,
): Promise<ScanResult> {
  const now = new Date();
  const decision = decideRequeue(reason, scan.requeues);
  const { cause } = decision;
  if (decision.kind === 'give_up') return endScanRow({ deps, scan }, 'failed', decision.cause);
  const { counts, delayMs } = decision;
  const nextTryAt = delayMs === 0 ? null : new Date(now.getTime() + delayMs);
  const isQueued = await deps.database.stores.scans.requeue({
    id: scan.id,
    attempt: scan.attempt,
    cause,
    counts,
    nextTryAt,
  });
  if (!isQueued) return resultOfEndedScan(deps, input);
  return { scanId: scan.id, status: 'requeued', outcome: null, cause, findings: 0 };
}

/**
 * The result of a scan that ended while it waited, or in an earlier attempt whose answer was lost; read from its
 * row.
 */
async function resultOfEndedScan(deps: ScanDeps, input: ScanTask): Promise<ScanResult> {
  const row = await deps.database.stores.scans.find(input.scanId);
  if (row !== null && (row.status === 'queued' || row.status === 'running')) {
    await endFailedScan({
      ...deps,
      scanId: row.id,
      attempt: null,
      status: 'canceled',
      cause: 'canceled',
      now: new Date(),
    });
    return { scanId: input.scanId, status: 'canceled', outcome: null, cause: 'canceled', findings: 0 };
  }
  const status = row?.status === 'succeeded' || row?.status === 'failed' ? row.status : 'canceled';
  return {
    scanId: input.scanId,
    status,
    outcome: row?.outcome ?? null,
    cause: row?.cause ?? null,
    findings: 0,
  };
}

async function enterPhase(work: ScanWork, phase: 'scanning' | 'storing', commit?: string): Promise<void> {
  const going = await work.deps.database.stores.scans.enterPhase({
    scan: work.scan,
    phase,
    ...(commit === undefined ? {} : { commit }),
  });
  if (!going) throw overtaken();
  await publishProgress(work, 'scan.progress', { phase });
}

async function publishProgress(
  { deps, input }: ScanRequest,
  kind: 'scan.started' | 'scan.progress',
  data: Record<string, unknown>,
): Promise<void> {
  await deps.database.stores.events.publishLive({
    kind,
    at: new Date().toISOString(),
    integrationId: input.integrationId,
    repositoryId: input.repositoryId,
    data: { scanId: input.scanId, ...data },
  });
}

async function isDiskLow({ workFolder, settings }: ScanDeps): Promise<boolean> {
  const disk = await statfs(workFolder);
  return disk.bavail * disk.bsize < settings.diskReserveBytes;
}
