import type { RequesterType, ResourceOptions } from '@gitbeaker/requester-utils';
import { Projects } from '@gitbeaker/rest';
import { isSecuError } from '../domain/errors.ts';
import type { ListedRepository } from '../domain/repository.ts';
import type { UnreadableProject } from '../domain/unreadable.ts';
import { fieldOf, parse, unreadableReply } from './parse.ts';
import { Project, ProjectId, ProjectItems } from './schemas.ts';

/** Rows of a full page, the maximum of GitLab. */
export const LISTING_PAGE = 100;
/** The lowest role that may read private code (GitLab docs, "Roles and permissions"). */
export const REPORTER = 20;

export interface ResourceConfig {
  host: string;
  oauthToken: () => Promise<string>;
  requesterFn: (options: ResourceOptions) => RequesterType;
  queryTimeout: null;
  rateLimits: Record<string, never>;
}

/** One item of a listing. Items are parsed separately, so that an invalid one does not hide the others. */
export interface ListedEntry {
  gitlabProjectId: number;
  /** `null`: GitLab lists the project, but it cannot be read. */
  repository: ListedRepository | null;
  unreadable: UnreadableProject | null;
  /** True if GitLab listed an item without a readable ID between the previous entry and this one. */
  followsUnidentified: boolean;
}

export interface ListingPage {
  /** By ascending ID, each ID once. */
  entries: ListedEntry[];
  /** The readable entries. */
  repositories: ListedRepository[];
  /** The cursor of the next page; `null` = the end. */
  lastId: number | null;
  /** True if the page has only items without a readable ID: the content after the cursor is unknown. */
  endsUnidentified: boolean;
}

export interface ProjectsPageOptions {
  idAfter: number | null;
  /** Only projects with lower IDs. */
  idBefore?: number;
  perPage?: number;
  /** Only projects with activity after this time. */
  activeSince?: Date | undefined;
  /** `null`: any role. */
  minAccessLevel?: number | null;
}

/** Requests one page. @throws SecuError see `GitlabApi.listProjectsPage` */
export async function requestProjectsPage({
  resource,
  idAfter,
  idBefore,
  activeSince,
  perPage = LISTING_PAGE,
  minAccessLevel = REPORTER,
}: ProjectsPageOptions & { resource: ResourceConfig }): Promise<ListingPage> {
  const items: unknown = await new Projects(resource).all({
    membership: true,
    ...(minAccessLevel === null ? {} : { minAccessLevel }),
    pagination: 'keyset',
    orderBy: 'id',
    sort: 'asc',
    perPage,
    maxPages: 1,
    ...(idAfter === null ? {} : { idAfter }),
    ...(idBefore === undefined ? {} : { idBefore }),
    ...(activeSince === undefined ? {} : { lastActivityAfter: activeSince.toISOString() }),
  });
  return readItems(parse(ProjectItems, items), { idAfter, perPage });
}

/** The page with the highest IDs, also ascending. */
export async function requestLastProjects(resource: ResourceConfig, perPage: number): Promise<ListedEntry[]> {
  const items: unknown = await new Projects(resource).all({
    membership: true,
    minAccessLevel: REPORTER,
    pagination: 'keyset',
    orderBy: 'id',
    sort: 'desc',
    perPage,
    maxPages: 1,
  });
  return readItems(parse(ProjectItems, items).toReversed(), { idAfter: null, perPage }).entries;
}

/**
 * Reads a page item by item. The last item of a repeated ID counts. Descending IDs are an error, because such a
 * listing would hide the IDs that it skipped.
 */
export function readItems(
  items: readonly unknown[],
  { idAfter, perPage }: { idAfter: number | null; perPage: number },
): ListingPage {
  const entries: ListedEntry[] = [];
  let previousId = idAfter ?? 0;
  let followsUnidentified = false;
  for (const item of items) {
    const id = ProjectId.safeParse(item).data;
    if (id === undefined) {
      followsUnidentified = true;
      continue;
    }
    if (id < previousId) throw unreadableReply('a page of projects is not in ascending order of ids');
    const entry = { ...readItem(item, id), followsUnidentified };
    const last = entries.at(-1);
    if (id > previousId) entries.push(entry);
    else if (last !== undefined) {
      const isLatter = entry.repository !== null || last.repository === null;
      entries[entries.length - 1] = {
        ...(isLatter ? entry : last),
        followsUnidentified: last.followsUnidentified,
      };
    }
    if (id > previousId) followsUnidentified = false;
    previousId = id;
  }
  const endsUnidentified = entries.length === 0 && followsUnidentified;
  const makesNoProgress = entries.length === 0 && items.length > 0;
  if (makesNoProgress && (!endsUnidentified || items.length >= perPage))
    throw unreadableReply('a page of projects does not go forward');
  return pageOf(entries, endsUnidentified);
}

export function pageOf(entries: ListedEntry[], endsUnidentified = false): ListingPage {
  return {
    entries,
    repositories: entries.flatMap(({ repository }) => repository ?? []),
    lastId: entries.at(-1)?.gitlabProjectId ?? null,
    endsUnidentified,
  };
}

function readItem(item: unknown, gitlabProjectId: number): Omit<ListedEntry, 'followsUnidentified'> {
  const parsed = Project.safeParse(item);
  if (parsed.success) return { gitlabProjectId, repository: parsed.data, unreadable: null };
  const [issue] = parsed.error.issues;
  const field = issue === undefined ? null : fieldOf(issue);
  const unreadable = { gitlabProjectId, problem: 'unexpected_shape', field } as const;
  return { gitlabProjectId, repository: null, unreadable };
}

/** One project, or `null` if GitLab says that it is gone or hidden. */
export async function requestProject({
  resource,
  gitlabProjectId,
}: {
  resource: ResourceConfig;
  gitlabProjectId: number;
}): Promise<ListedRepository | null> {
  try {
    const repository = parse(Project, await new Projects(resource).show(gitlabProjectId));
    if (repository.gitlabProjectId !== gitlabProjectId)
      throw unreadableReply('another project than the one target for');
    return repository;
  } catch (err) {
    if (isSecuError(err, 'repository_gone')) return null;
    throw err;
  }
}

/** One project by path. For a former path, GitLab redirects to the ID, which is requested next. */
export async function requestProjectByPath(input: {
  resource: ResourceConfig;
  project: string | number;
}): Promise<ListedRepository | null> {
  try {
    return parse(Project, await new Projects(input.resource).show(input.project));
  } catch (err) {
    if (isSecuError(err, 'repository_gone')) return null;
    const movedTo = isSecuError(err, 'gitlab_redirected') ? err.details['projectId'] : undefined;
    if (typeof movedTo !== 'number' || typeof input.project === 'number') throw err;
    return requestProjectByPath({ ...input, project: movedTo });
  }
}
