import { isSecuError } from '../domain/errors.ts';
import type { GitlabProblem } from '../domain/gitlab-problem.ts';
import type { ListedEntry, ListingPage } from './project-pages.ts';
import { LISTING_PAGE, pageOf } from './project-pages.ts';

/** Problems that one broken project can cause for every page that contains it. */
const CAUSED_BY_ONE_ITEM: ReadonlySet<unknown> = new Set<GitlabProblem>([
  'server_error',
  'timeout',
  'not_json',
  'reply_too_large',
  'malformed_reply',
]);
/** The limit of broken projects in one listing; more of them are an outage. */
export const MAX_ISOLATED = 50;
/** The limit of IDs before a broken project that are checked one by one. */
const MAX_NEIGHBOURS = 20;
/**
 * The limit of the search distance. IDs grow by one per project of the whole GitLab, so doubling reaches any of
 * them.
 */
const MAX_ID_DISTANCE = 2 ** 40;

interface Requests {
  /** One request. @throws SecuError */
  requestPage: (input: { idAfter: number | null; perPage: number }) => Promise<ListingPage>;
  /** The project with the highest ID. @throws SecuError */
  requestLast: () => Promise<unknown>;
  /** One project by its ID, `null` if there is none. @throws SecuError */
  requestProject: (gitlabProjectId: number) => Promise<unknown>;
  /** Whether GitLab answers this token at all. */
  isAlive: () => Promise<boolean>;
}

/**
 * Reads pages of a listing. If GitLab fails only for one page, the page is split until the broken project is
 * isolated. That project becomes an unreadable entry, and the listing continues after it.
 */
export function createPageReader(requestsWith: (signal: AbortSignal | undefined) => Requests) {
  /** The first page size to try, by cursor: small after a page that had to be split. */
  const sizeHints = new Map<number, number>();
  let isolated = 0;

  return async function readPage(input: {
    idAfter: number | null;
    signal?: AbortSignal | undefined;
    perPage?: number;
  }): Promise<ListingPage> {
    const { idAfter, perPage = LISTING_PAGE } = input;
    const requests = requestsWith(input.signal);
    const size = sizeHints.get(idAfter ?? 0) ?? perPage;
    try {
      return remember(await requests.requestPage({ idAfter, perPage: size }), { size, perPage });
    } catch (err) {
      const isKnownToBreak = size < perPage;
      if (!canBeOneItem(err) || !(isKnownToBreak || (await servesOtherProjects(requests, idAfter))))
        throw err;
      return readInParts(requests, { idAfter, firstSize: Math.floor(size / 2), perPage, failure: err });
    }
  };

  /** Doubles the page size of the next page after a split one, up to the normal size. */
  function remember(page: ListingPage, { size, perPage }: { size: number; perPage: number }): ListingPage {
    if (size < perPage && page.lastId !== null) sizeHints.set(page.lastId, Math.min(perPage, size * 2));
    return page;
  }

  async function readInParts(
    requests: Requests,
    input: { idAfter: number | null; firstSize: number; perPage: number; failure: unknown },
  ): Promise<ListingPage> {
    const { idAfter, firstSize, perPage, failure } = input;
    for (let size = firstSize; size >= 1; size = Math.floor(size / 2)) {
      try {
        return remember(await requests.requestPage({ idAfter, perPage: size }), { size, perPage });
      } catch (err) {
        if (!canBeOneItem(err)) throw err;
      }
    }
    isolated += 1;
    if (isolated > MAX_ISOLATED) throw failure;
    return remember(await isolate(requests, { idAfter: idAfter ?? 0, failure }), { size: 1, perPage });
  }
}

/** True if GitLab serves other positions of the listing; in an outage it does not. */
async function servesOtherProjects(requests: Requests, idAfter: number | null): Promise<boolean> {
  if (!(await requests.isAlive())) return false;
  if (await isServed(requests.requestLast)) return true;
  return idAfter !== null && (await isServed(() => requests.requestPage({ idAfter: null, perPage: 1 })));
}

/** Isolates a broken project: its ID is the smallest cursor after which GitLab answers again. */
async function isolate(
  { requestPage, requestProject }: Requests,
  { idAfter, failure }: { idAfter: number; failure: unknown },
): Promise<ListingPage> {
  const answersAfter = (id: number) => isServed(() => requestPage({ idAfter: id, perPage: 1 }));
  let failing = idAfter;
  let distance = 1;
  while (!(await answersAfter(idAfter + distance))) {
    failing = idAfter + distance;
    distance *= 2;
    if (distance > MAX_ID_DISTANCE) throw failure;
  }
  let answering = idAfter + distance;
  while (answering - failing > 1) {
    const middle = Math.floor((failing + answering) / 2);
    if (await answersAfter(middle)) answering = middle;
    else failing = middle;
  }
  const neighbours = await brokenNeighbours(requestProject, { after: idAfter, before: answering });
  return pageOf([...neighbours, answering].map(brokenEntry));
}

/** Broken projects with adjacent IDs look like one. @returns those whose own request fails too */
async function brokenNeighbours(
  requestProject: Requests['requestProject'],
  { after, before }: { after: number; before: number },
): Promise<number[]> {
  const count = before - after - 1;
  if (count > MAX_NEIGHBOURS) return [];
  const broken: number[] = [];
  for (let id = after + 1; id < before; id += 1)
    if (!(await isServed(() => requestProject(id)))) broken.push(id);
  return broken;
}

/**
 * An entry for a broken project. The IDs between the previous entry and this one are unknown, so none of them
 * counts as missing.
 */
function brokenEntry(gitlabProjectId: number): ListedEntry {
  const unreadable = { gitlabProjectId, problem: 'server_error', field: null } as const;
  return { gitlabProjectId, repository: null, unreadable, followsUnidentified: true };
}

/** @returns false if one item may have broken the answer. @throws every other error */
async function isServed(request: () => Promise<unknown>): Promise<boolean> {
  try {
    await request();
    return true;
  } catch (err) {
    if (canBeOneItem(err)) return false;
    throw err;
  }
}

function canBeOneItem(err: unknown): boolean {
  return (
    isSecuError(err, 'gitlab_unreachable', 'gitlab_reply_unreadable') &&
    CAUSED_BY_ONE_ITEM.has(err.details['problem'])
  );
}
