import pLimit from 'p-limit';
import { isSecuError } from '../../domain/errors.ts';
import type { Branches } from '../../domain/integration.ts';
import type { Secret } from '../../domain/secret.ts';
import type { GitlabDeps } from '../deps.ts';
import { watchedBranches } from '../scan/branches.ts';

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
 * Reads the heads of repositories with activity or without a recent check, and queues a scan of each changed one.
 * Repositories that GitLab calls empty are checked too: they are empty only if git agrees.
 */
export async function checkHeads(input: HeadCheck): Promise<{ queued: number }> {
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

interface CheckedRepository {
  id: string;
  gitlabProjectId: number;
  fullPath: string;
  headCommit: string | null;
  defaultBranch: string | null;
}

async function hasMoved(input: HeadCheck & { repository: CheckedRepository }): Promise<boolean> {
  const { deps, repository, nowMs } = input;
  try {
    const { commit, hasNewTips } = await readTips(input);
    if (commit !== repository.headCommit || hasNewTips) return true;
    await deps.database.stores.repositories.recordHead({ id: repository.id, commit, now: new Date(nowMs) });
    return false;
  } catch (err) {
    // the next sync asks again for a repository that did not answer
    if (isSecuError(err) && err.code !== 'canceled') return false;
    throw err;
  }
}

/** The head, and whether another watched branch has a commit that was not scanned. */
async function readTips(
  input: HeadCheck & { repository: CheckedRepository },
): Promise<{ commit: string | null; hasNewTips: boolean }> {
  const { deps, integration, token, signal } = input;
  const { branches, baseUrl } = integration;
  const repository = { ...input.repository, baseUrl, token, signal };
  if (branches.mode === 'default') return { ...(await deps.git.readHead(repository)), hasNewTips: false };
  const api = deps.gitlab.forToken({ baseUrl, token });
  const { head, tips } = await watchedBranches({ branches, git: deps.git, api, repository });
  const scanned = await deps.database.stores.histories.readRefs(repository.id);
  const commits = new Map(scanned.map(({ name, commit }) => [name, commit]));
  // without any, the history is still to be scanned
  const hasNewTips = scanned.length > 0 && tips.some(({ name, commit }) => commits.get(name) !== commit);
  return { commit: head, hasNewTips };
}
