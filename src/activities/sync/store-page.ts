import type { ListingChange } from '../../db/stores/listing.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { classifierFor } from '../../domain/repository.ts';
import type { UnreadableProject } from '../../domain/unreadable.ts';
import type { ListedEntry } from '../../gitlab/project-pages.ts';
import type { GitlabDeps } from '../deps.ts';
import type { IdRange } from './walk.ts';

/** Counts of a listing so far. */
export interface Counts {
  listed: number;
  added: number;
  renamed: number;
  excluded: number;
  returned: number;
}

export const NO_COUNTS: Counts = { listed: 0, added: 0, renamed: 0, excluded: 0, returned: 0 };

/** A sync, and the current time of its workflow. */
export interface SyncContext {
  integrationId: string;
  syncId: string;
  nowMs: number;
}

/** Adds the counts of one page. Pages of several ranges are stored concurrently. */
export function addCounts(sum: Counts, part: Counts): void {
  for (const name of ['listed', 'added', 'renamed', 'excluded', 'returned'] as const) sum[name] += part[name];
}

/** The limit of stored unreadable items. More of them mean that GitLab's API changed, which the first ones show. */
const MAX_UNREADABLE = 100;

export function addUnreadable(
  listing: { unreadable: UnreadableProject[] },
  entries: readonly ListedEntry[],
): void {
  const found = entries.flatMap(({ unreadable }) => unreadable ?? []);
  listing.unreadable = [...listing.unreadable, ...found].slice(0, MAX_UNREADABLE);
}

/** Stores one page of a listing, with its events. */
export async function storePage(input: {
  deps: GitlabDeps;
  sync: SyncContext;
  rows: readonly ListedEntry[];
  classify: ReturnType<typeof classifierFor>;
  /** The first sync of an integration adds no events. */
  isFirstSync: boolean;
  /** The IDs that the page covers completely: a known repository among them that the page does not list is missing. */
  covered: (IdRange & { gaps: readonly IdRange[] }) | null;
}): Promise<Counts> {
  const { rows, classify, covered } = input;
  const repositories = rows.flatMap(({ repository }) =>
    repository === null ? [] : [{ ...repository, ...classify(repository) }],
  );
  const { integrationId, syncId, nowMs } = input.sync;
  const now = new Date(nowMs);
  return input.deps.database.transaction(async (tx) => {
    const changes = await tx.listing.upsertPage({ integrationId, repositories, now });
    // an unreadable item still exists, so it is not missing
    const listedIds = rows.map((row) => row.gitlabProjectId);
    if (covered !== null) await tx.listing.markMissed({ integrationId, syncId, listedIds, ...covered });
    if (!input.isFirstSync)
      await tx.events.add(
        changes.flatMap((change) => eventsOf(integrationId, change)),
        now,
      );
    return {
      listed: repositories.length,
      added: changes.filter((change) => change.oldPath === null).length,
      renamed: changes.filter(isRename).length,
      excluded: changes.filter((change) => change.oldState !== null && isNewlyExcluded(change)).length,
      returned: changes.filter(isReturn).length,
    };
  });
}

const isRename = (change: ListingChange) => change.oldPath !== null && change.oldPath !== change.fullPath;
const isNewlyExcluded = (change: ListingChange) =>
  change.state === 'excluded' && change.oldState !== 'excluded';
const isReturn = (change: ListingChange) => change.oldState === 'missing' || change.oldState === 'removed';

function eventsOf(integrationId: string, change: ListingChange): NewEvent[] {
  const base = { integrationId, repositoryId: change.id, actor: 'system' };
  const events: NewEvent[] = [];
  if (change.oldPath === null)
    events.push({ ...base, kind: 'repository.added', text: `${change.fullPath} was added.` });
  if (isRename(change)) {
    events.push({
      ...base,
      kind: 'repository.renamed',
      text: `${change.oldPath} is now ${change.fullPath}.`,
      data: { from: change.oldPath, to: change.fullPath },
    });
  }
  if (isReturn(change))
    events.push({ ...base, kind: 'repository.returned', text: `${change.fullPath} is listed again.` });
  if (change.oldState !== null && isNewlyExcluded(change)) {
    events.push({
      ...base,
      kind: 'repository.excluded',
      text: `${change.fullPath} is left out: ${change.excludedBecause}.`,
      data: { because: change.excludedBecause },
    });
  }
  return events;
}
