import pLimit from 'p-limit';
import type { CheckedHead } from '../../db/stores/repositories.ts';
import { isSecuError } from '../../domain/errors.ts';
import type { Branches } from '../../domain/integration.ts';
import type { ScanTrigger } from '../../domain/scan.ts';
import type { Secret } from '../../domain/secret.ts';
import type { GitlabDeps } from '../deps.ts';
import { listWatchedBranches } from '../scan/branches.ts';

const HEADS_PER_PAGE = 200;

interface HeadCheck {
  deps: GitlabDeps;
  integration: { id: string; baseUrl: string; branches: Branches };
  token: Secret;
  signal: AbortSignal;
  /** The request that caused the sync. */
  requestId: string | null;
  nowMs: number;
}

/**
 * Reads the heads of repositories with activity since the last read, and queues a scan of each changed one.
 * Repositories that GitLab calls empty are checked too: they are empty only if git agrees.
 */
export async function checkActiveHeads(input: HeadCheck): Promise<{ queued: number }> {
  const { integration } = input;
  const { stores } = input.deps.database;
  let queued = 0;
  for (let after = ''; ; ) {
    const page = await stores.repositories.headsToCheck({
      integrationId: integration.id,
      limit: HEADS_PER_PAGE,
      after,
    });
    // the next sync reads an unread head again
    queued += await queueChangedHeads(input, { page, trigger: 'sync', onUnread: async () => {} });
    const last = page.at(-1);
    if (last === undefined || page.length < HEADS_PER_PAGE) return { queued };
    after = last.id;
  }
}

/** A head that could not be read is due again after this time. */
const RETRY_UNREAD_MS = 3_600_000;

/** Reads heads that were not read for the scan interval, a page at a time, and queues a scan of each changed one. */
export async function checkStaleHeads(input: HeadCheck): Promise<{ queued: number }> {
  const { deps, integration, nowMs } = input;
  const { repositories } = deps.database.stores;
  const before = new Date(nowMs - deps.settings.scanIntervalMs);
  const page = await repositories.staleHeads({
    integrationId: integration.id,
    before,
    limit: HEADS_PER_PAGE,
  });
  const retryAt = new Date(before.getTime() + RETRY_UNREAD_MS);
  const onUnread = (id: string) => repositories.postponeCheck({ id, checkedAt: retryAt });
  return { queued: await queueChangedHeads(input, { page, trigger: 'schedule', onUnread }) };
}

async function queueChangedHeads(
  input: HeadCheck,
  {
    page,
    trigger,
    onUnread,
  }: { page: readonly CheckedHead[]; trigger: ScanTrigger; onUnread: (id: string) => Promise<void> },
): Promise<number> {
  const { deps, nowMs, requestId } = input;
  const limit = pLimit(deps.settings.clones);
  const isChanged = await Promise.all(
    page.map((repository) =>
      limit(async () => {
        const result = await checkHead({ ...input, repository });
        if (result === 'unread') await onUnread(repository.id);
        return result === 'changed';
      }),
    ),
  );
  return deps.database.stores.scans.queue({
    repositoryIds: page.filter((_, index) => isChanged[index]).map(({ id }) => id),
    trigger,
    history: 'none',
    requestId,
    now: new Date(nowMs),
  });
}

async function checkHead(
  input: HeadCheck & { repository: CheckedHead },
): Promise<'changed' | 'unchanged' | 'unread'> {
  const { deps, repository, nowMs } = input;
  try {
    const { commit, hasNewTips } = await readTips(input);
    if (commit !== repository.headCommit || hasNewTips) return 'changed';
    await deps.database.stores.repositories.recordHead({ id: repository.id, commit, now: new Date(nowMs) });
    return 'unchanged';
  } catch (err) {
    if (isSecuError(err) && err.code !== 'canceled') return 'unread';
    throw err;
  }
}

/** The head, and whether another watched branch has a commit that was not scanned. */
async function readTips(
  input: HeadCheck & { repository: CheckedHead },
): Promise<{ commit: string | null; hasNewTips: boolean }> {
  const { deps, integration, token, signal } = input;
  const { branches, baseUrl } = integration;
  const repository = { ...input.repository, baseUrl, token, signal };
  if (branches.mode === 'default') return { ...(await deps.git.readHead(repository)), hasNewTips: false };
  const api = deps.gitlab.forToken({ baseUrl, token });
  const { head, tips } = await listWatchedBranches({ branches, git: deps.git, api, repository });
  const scanned = await deps.database.stores.histories.readRefs(repository.id);
  const commits = new Map(scanned.map(({ name, commit }) => [name, commit]));
  // without scanned branches, a scan of the history is still to come
  const hasNewTips = scanned.length > 0 && tips.some(({ name, commit }) => commits.get(name) !== commit);
  return { commit: head, hasNewTips };
}
