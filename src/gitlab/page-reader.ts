import { isSecuError, SecuError } from '../domain/errors.ts';
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
/** The limit of broken projects that one listing isolates; with more of them it is incomplete. */
export const MAX_ISOLATED = 100;
/** The limit of IDs before a broken project that are requested one by one, where GitLab ignores `id_before`. */
const MAX_PROBED_IDS = 20;
/**
 * The limit of the search distance. IDs grow by one per project of the whole GitLab, so doubling reaches any of
 * them.
 */
const MAX_ID_DISTANCE = 2 ** 40;

interface Requests {
  /** One request. @throws SecuError */
  requestPage: (input: {
    idAfter: number | null;
    /** Only projects with lower IDs. */
    idBefore?: number;
    perPage: number;
  }) => Promise<ListingPage>;
  /** The project with the highest ID. @throws SecuError */
  requestLast: () => Promise<unknown>;
  /** One project by its ID, `null` if there is none. @throws SecuError */
  requestProject: (gitlabProjectId: number) => Promise<unknown>;
  /** Whether GitLab answers this token at all. */
  isAlive: () => Promise<boolean>;
}

/** What all requests of one listing have in common. */
export interface ListingFilter {
  /** Only projects with activity after this time, as GitLab knows it. */
  activeSince?: Date | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Reads pages of a listing. If GitLab fails only for one page, the page is split until the broken project is
 * isolated. That project becomes an unreadable entry, and the listing continues after it.
 */
export function createPageReader(requestsWith: (input: ListingFilter) => Requests) {
  /** The first page size to try, by cursor: small after a page that had to be split. */
  const sizeHints = new Map<number, number>();
  let isolated = 0;

  return async function readPage(
    input: ListingFilter & { idAfter: number | null; perPage?: number },
  ): Promise<ListingPage> {
    const { idAfter, perPage = LISTING_PAGE } = input;
    const requests = requestsWith(input);
    const size = sizeHints.get(idAfter ?? 0) ?? perPage;
    try {
      return remember(await requests.requestPage({ idAfter, perPage: size }), { size, perPage });
    } catch (err) {
      const isKnownToBreak = size < perPage;
      if (!canBeOneItem(err) || !(isKnownToBreak || (await servesOtherProjects(requests)))) throw err;
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
    if (isolated > MAX_ISOLATED) throw tooManyUnreadable();
    return remember(await isolate(requests, { idAfter: idAfter ?? 0, failure }), { size: 1, perPage });
  }
}

/** True if GitLab serves other positions of the listing; in an outage it does not. */
async function servesOtherProjects(requests: Requests): Promise<boolean> {
  if (!(await requests.isAlive())) return false;
  if (await isServed(requests.requestLast)) return true;
  return isServed(() => requests.requestPage({ idAfter: null, perPage: 1 }));
}

/**
 * Isolates the first broken project after a cursor: the listing between the cursor and an ID fails exactly if it
 * contains that project. At most two requests per doubling of the distance.
 */
async function isolate(
  requests: Requests,
  { idAfter, failure }: { idAfter: number; failure: unknown },
): Promise<ListingPage> {
  const servesBefore = (id: number) =>
    isServed(() => requests.requestPage({ idAfter, idBefore: id, perPage: 1 }));
  // no ID is between these two, so GitLab ignores `id_before` if this fails
  if (!(await servesBefore(idAfter + 1))) return isolateByCursor(requests, { idAfter, failure });
  const found = await firstFailing((distance) => servesBefore(idAfter + 1 + distance));
  // if GitLab fails here too, it had an outage meanwhile, and the search proves nothing
  if (found === null || !(await servesBefore(idAfter + found))) throw failure;
  return pageOf([brokenEntry(idAfter + found)]);
}

/** The smallest distance for which the check fails; all larger ones must fail too. `null` if there is none. */
async function firstFailing(isFine: (distance: number) => Promise<boolean>): Promise<number | null> {
  let fine = 0;
  let failing = 1;
  while (await isFine(failing)) {
    fine = failing;
    failing *= 2;
    if (failing > MAX_ID_DISTANCE) return null;
  }
  while (failing - fine > 1) {
    const middle = Math.floor((fine + failing) / 2);
    if (await isFine(middle)) fine = middle;
    else failing = middle;
  }
  return failing;
}

/**
 * Isolates a broken project where GitLab ignores `id_before`: at an ID after which GitLab answers again. The content
 * between the cursor and that ID stays unknown, apart from projects whose own request fails too.
 */
async function isolateByCursor(
  { requestPage, requestProject }: Requests,
  { idAfter, failure }: { idAfter: number; failure: unknown },
): Promise<ListingPage> {
  const distance = await firstFailing(
    async (length) => !(await isServed(() => requestPage({ idAfter: idAfter + length, perPage: 1 }))),
  );
  if (distance === null) throw failure;
  const broken: number[] = [];
  for (let id = idAfter + 1; distance <= MAX_PROBED_IDS && id < idAfter + distance; id += 1)
    if (!(await isServed(() => requestProject(id)))) broken.push(id);
  const entries = [...broken, idAfter + distance].map(brokenEntry);
  return pageOf(entries.map((entry) => ({ ...entry, followsUnidentified: true })));
}

function tooManyUnreadable(): SecuError {
  return new SecuError(
    'gitlab_reply_unreadable',
    `GitLab fails for more than ${MAX_ISOLATED} projects of the listing`,
    {
      details: { problem: 'too_many_unreadable' satisfies GitlabProblem },
    },
  );
}

function brokenEntry(gitlabProjectId: number): ListedEntry {
  const unreadable = { gitlabProjectId, problem: 'server_error', field: null } as const;
  return { gitlabProjectId, repository: null, unreadable, followsUnidentified: false };
}

async function isServed(request: () => Promise<unknown>): Promise<boolean> {
  return (await nullIfBroken(async () => ({ served: await request() }))) !== null;
}

/** @returns `null` if one broken project may be the reason of the failure. @throws every other error */
export async function nullIfBroken<T>(request: () => Promise<T>): Promise<T | null> {
  try {
    return await request();
  } catch (err) {
    if (canBeOneItem(err)) return null;
    throw err;
  }
}

function canBeOneItem(err: unknown): boolean {
  return (
    isSecuError(err, 'gitlab_unreachable', 'gitlab_reply_unreadable') &&
    CAUSED_BY_ONE_ITEM.has(err.details['problem'])
  );
}
