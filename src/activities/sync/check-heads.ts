import pLimit from 'p-limit';
import { isSecuError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { GitlabDeps } from '../deps.ts';

const HEADS_PER_PAGE = 200;

/**
 * Reads the heads of repositories with activity or without a recent check, and queues a scan of each changed one.
 * Repositories that GitLab calls empty are checked too: they are empty only if git agrees.
 */
export async function checkHeads(input: {
  deps: GitlabDeps;
  integration: { id: string; baseUrl: string };
  token: Secret;
  signal: AbortSignal;
  /** The request that caused the sync. */
  requestId: string | null;
  nowMs: number;
}): Promise<{ queued: number }> {
  const { deps, integration, nowMs } = input;
  const { stores } = deps.database;
  const interval = deps.settings.scanIntervalMs;
  const staleBefore = interval === 0 ? null : new Date(nowMs - interval);
  const limit = pLimit(deps.settings.clones);
  let queued = 0;
  for (let after = ''; ; ) {
    const page = await stores.repositories.headsToCheck({
      integrationId: integration.id,
      staleBefore,
      limit: HEADS_PER_PAGE,
      after,
    });
    const moved = await Promise.all(
      page.map((repository) => limit(() => hasMoved({ ...input, repository }))),
    );
    const ids = page.filter((_, index) => moved[index]).map(({ id }) => id);
    queued += await stores.scans.queue({
      repositoryIds: ids,
      trigger: 'sync',
      history: 'none',
      requestId: input.requestId,
      now: new Date(nowMs),
    });
    const last = page.at(-1);
    if (last === undefined || page.length < HEADS_PER_PAGE) return { queued };
    after = last.id;
  }
}

async function hasMoved(
  input: Parameters<typeof checkHeads>[0] & {
    repository: { id: string; fullPath: string; headCommit: string | null; defaultBranch: string | null };
  },
): Promise<boolean> {
  const { deps, repository } = input;
  try {
    const { commit } = await deps.git.readHead({
      ...repository,
      baseUrl: input.integration.baseUrl,
      token: input.token,
      signal: input.signal,
    });
    if (commit !== repository.headCommit) return true;
    await deps.database.stores.repositories.recordHead({
      id: repository.id,
      commit,
      now: new Date(input.nowMs),
    });
    return false;
  } catch (err) {
    // the next sync asks again for a repository that did not answer
    if (isSecuError(err) && err.code !== 'canceled') return false;
    throw err;
  }
}
