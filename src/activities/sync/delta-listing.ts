import type { IntegrationRow } from '../../db/stores/integrations.ts';
import { classifierFor } from '../../domain/repository.ts';
import type { UnreadableProject } from '../../domain/unreadable.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import type { ListedEntry } from '../../gitlab/project-pages.ts';
import type { GitlabDeps } from '../deps.ts';
import type { Counts, SyncContext } from './store-page.ts';
import { addCounts, addUnreadable, NO_COUNTS, storePage } from './store-page.ts';

export type DeltaListing = Counts & { unreadable: UnreadableProject[] };

interface DeltaInput {
  deps: GitlabDeps;
  sync: SyncContext;
  integration: IntegrationRow;
  api: GitlabApi;
  activeSince: Date;
  signal: AbortSignal;
}

/**
 * Lists only the projects with activity since this time, and stores the changes. It marks no repository as missing.
 * @returns `null` if GitLab listed a project that was not active since then: GitLab ignored the filter, so a complete
 * listing is needed
 * @throws as `GitlabApi.listProjectsPage`
 */
export async function listActiveProjects(input: DeltaInput): Promise<DeltaListing | null> {
  const { deps, sync, integration, api, activeSince, signal } = input;
  const classify = classifierFor(integration.filters);
  const listing: DeltaListing = { ...NO_COUNTS, unreadable: [] };
  for (let idAfter: number | null = null; ; ) {
    const { entries, lastId } = await api.listProjectsPage({ idAfter, activeSince, signal });
    if (entries.some((entry) => wasActiveBefore(entry, activeSince))) return null;
    addCounts(
      listing,
      await storePage({ deps, sync, rows: entries, classify, isFirstSync: false, covered: null }),
    );
    addUnreadable(listing, entries);
    if (lastId === null) break;
    idAfter = lastId;
  }
  await readHintedProjects(input, listing);
  return listing;
}

/**
 * Lists the projects that webhooks named, one by one, because GitLab records no activity for a rename or a move. The next
 * complete listing handles a project that is no longer listed.
 */
async function readHintedProjects(
  { deps, sync, integration, api, signal }: DeltaInput,
  listing: DeltaListing,
): Promise<void> {
  const { hooks } = deps.database.stores;
  const hinted = await hooks.hintedProjects(sync.integrationId);
  const classify = classifierFor(integration.filters);
  for (const project of hinted) {
    const { gitlabProjectId } = project;
    const { entries } = await api.listProjectsPage({ idAfter: gitlabProjectId - 1, perPage: 1, signal });
    const rows = entries.filter((entry) => entry.gitlabProjectId === gitlabProjectId);
    addCounts(listing, await storePage({ deps, sync, rows, classify, isFirstSync: false, covered: null }));
    addUnreadable(listing, rows);
    await hooks.forgetHinted(sync.integrationId, [project]);
  }
}

function wasActiveBefore({ repository }: ListedEntry, activeSince: Date): boolean {
  const { lastActivityAt = null } = repository ?? {};
  return lastActivityAt !== null && Date.parse(lastActivityAt) < activeSince.getTime();
}
