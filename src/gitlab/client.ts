import { createHash } from 'node:crypto';
import type { RequesterType, ResourceOptions } from '@gitbeaker/requester-utils';
import { PersonalAccessTokens, Projects, Users } from '@gitbeaker/rest';
import type { z } from 'zod';
import type { Reach } from '../domain/dry-run.ts';
import type { WrongKindCause } from '../domain/dry-run-causes.ts';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { Located } from '../domain/explain.ts';
import type { TokenFacts } from '../domain/integration.ts';
import type { ListedRepository } from '../domain/repository.ts';
import type { Secret } from '../domain/secret.ts';
import type { ListObservation, SelfObservation } from '../domain/verification.ts';
import { wrongKindByPrefix } from '../domain/verification.ts';
import { locateProject } from './locate-project.ts';
import { listRefusal, observeSelf, ownerOf } from './observe.ts';
import { assertIsGitlab, countReach, rateLimitOf } from './reach.ts';
import type { RequesterDeps } from './requester.ts';
import { requesterFor } from './requester.ts';
import type { RotationAnswer } from './rotate.ts';
import { rotateSelf } from './rotate.ts';
import { CurrentUser, Project, ProjectPage, SelfToken } from './schemas.ts';

const MAX_SAMPLES = 3;
/** GitLab's own maximum; it takes more for this many. */
/** Rows of a full page of a listing; GitLab gives no more. */
export const LISTING_PAGE = 100;
/** The least role that may read private code (GitLab docs, "Roles and permissions"). */
const REPORTER = 20;

export interface RepositorySample {
  gitlabProjectId: number;
  fullPath: string;
}

export interface ListingObservation {
  observation: ListObservation;
  /** Up to three listed repositories that have something to clone. */
  samples: RepositorySample[];
}

export interface ListingPage {
  repositories: ListedRepository[];
  /** Where the next page goes on; `null` when this page was empty, which is the end and the only one. */
  lastId: number | null;
}

interface Cancelable {
  signal?: AbortSignal | undefined;
}

/** GitLab as one token sees it. Every request is made once; whoever calls repeats. */
export interface GitlabApi {
  /** The kind that the token's prefix names, where that kind cannot call the API. */
  readonly prefixKind: WrongKindCause | null;
  /**
   * Is there a GitLab at all? Asked without the token, so that nobody else gets it.
   * @throws SecuError `not_gitlab` | `gitlab_*` | `origin_not_allowed`
   */
  assertIsGitlab(input: Cancelable): Promise<void>;
  /** The token as it tells of itself, and its owner where it may ask. @throws as `listProjectsPage` */
  describeToken(input: Cancelable): Promise<TokenFacts>;
  /** What it reaches, as GitLab counts it. @throws as `listProjectsPage` */
  countReach(input: Cancelable): Promise<Reach>;
  /** What the last answer said of GitLab's rate limit. */
  rateLimit(): { limit: number; remaining: number } | null;
  /** Never throws for what GitLab or the network does. */
  observeSelf(input?: Cancelable): Promise<SelfObservation>;
  /** Never throws for what GitLab or the network does. */
  observeListing(input?: Cancelable): Promise<ListingObservation>;
  /**
   * One page of what the token can read, by ascending id. `idAfter` null begins.
   * @throws SecuError `token_*` | `account_blocked` | `not_gitlab` | `gitlab_*` | `origin_not_allowed`
   */
  listProjectsPage(input: Cancelable & { idAfter: number | null; perPage?: number }): Promise<ListingPage>;
  /** The page with the highest ids that there are now, ascending too. @throws as `listProjectsPage` */
  lastProjects(input?: Cancelable): Promise<ListedRepository[]>;
  /**
   * One repository, or `null` when GitLab says that it is gone or hidden (it does not tell which).
   * @throws as `listProjectsPage`
   */
  readProject(gitlabProjectId: number, input?: Cancelable): Promise<ListedRepository | null>;
  /**
   * Asks GitLab, once, for a new token in place of this one, which is dead from then on.
   * @see RotationAnswer Never throws for what GitLab or the network does.
   */
  rotateSelf(input: { expiresAt: string }): Promise<RotationAnswer>;
  /** What GitLab shows the token of the project under this path, also a path of before. @throws as `listProjectsPage` */
  locateProject(fullPath: string, input?: Cancelable): Promise<Located>;
}

export interface GitlabClient {
  /** `baseUrl` without a trailing slash; it is checked against the policy at each request. */
  forToken(input: { baseUrl: string; token: Secret }): GitlabApi;
}

/** One client for a process: it shares the pacer, the connections and the policy among all tokens. */
export function createGitlabClient(deps: RequesterDeps): GitlabClient {
  return {
    forToken({ baseUrl, token }) {
      const bearer = token.reveal();
      const call = {
        ...deps,
        baseUrl: new URL(baseUrl),
        lane: createHash('sha256').update(bearer, 'utf8').digest('hex').slice(0, 16),
        withoutToken: (text: string) => text.replaceAll(bearer, String(token)),
        onHeaders: (headers: Headers) => (lastHeaders = headers),
      };
      let lastHeaders = new Headers();
      const resourceFor = (signal: AbortSignal | undefined): ResourceConfig => ({
        host: baseUrl,
        oauthToken: () => Promise.resolve(bearer),
        requesterFn: requesterFor({ ...call, signal }),
        queryTimeout: null,
        rateLimits: {},
      });
      const listProjectsPage: GitlabApi['listProjectsPage'] = ({ signal, ...cursor }) =>
        readPage({ resource: resourceFor(signal), ...cursor });
      return {
        prefixKind: wrongKindByPrefix(bearer),
        assertIsGitlab: ({ signal }) => assertIsGitlab({ ...call, signal }),
        async describeToken({ signal }) {
          const ask = questions(resourceFor(signal));
          const token = await ask.self();
          return { ...token, owner: await ownerOf(ask) };
        },
        countReach: ({ signal }) => countReach({ ...call, signal }, bearer),
        rateLimit: () => rateLimitOf(lastHeaders),
        observeSelf: ({ signal } = {}) => observeSelf(questions(resourceFor(signal))),
        observeListing: (input = {}) => observeListing(() => listProjectsPage({ ...input, idAfter: null })),
        listProjectsPage,
        lastProjects: ({ signal } = {}) => readEnd(resourceFor(signal)),
        readProject: (gitlabProjectId, { signal } = {}) =>
          readProject({ resource: resourceFor(signal), gitlabProjectId }),
        rotateSelf: ({ expiresAt }) => rotateSelf({ call, bearer, expiresAt }),
        locateProject(fullPath, { signal } = {}) {
          const resource = resourceFor(signal);
          return locateProject(fullPath, {
            read: (project) => readByPath({ resource, project }),
            firstAfter: async (options) =>
              (await readPage({ resource, ...options, perPage: 1 })).repositories[0] ?? null,
          });
        },
      };
    },
  };
}

interface ResourceConfig {
  host: string;
  oauthToken: () => Promise<string>;
  requesterFn: (options: ResourceOptions) => RequesterType;
  queryTimeout: null;
  rateLimits: Record<string, never>;
}

function questions(resource: ResourceConfig) {
  return {
    self: async () => parse(SelfToken, await new PersonalAccessTokens(resource).show()),
    user: async () => parse(CurrentUser, await new Users(resource).showCurrentUser()),
  };
}

async function observeListing(firstPage: () => Promise<ListingPage>): Promise<ListingObservation> {
  try {
    const { repositories } = await firstPage();
    return {
      observation: { kind: 'listed', repositories: repositories.length },
      samples: readableOf(repositories),
    };
  } catch (err) {
    if (!isSecuError(err)) throw err;
    return { observation: listRefusal(err), samples: [] };
  }
}

/** The first few that hold something to read. */
export function readableOf(repositories: readonly ListedRepository[]): RepositorySample[] {
  return repositories
    .filter(
      (repository) => !repository.empty && !repository.repositoryDisabled && !repository.pendingDeletion,
    )
    .slice(0, MAX_SAMPLES)
    .map(({ gitlabProjectId, fullPath }) => ({ gitlabProjectId, fullPath }));
}

export interface ProjectsPageOptions {
  idAfter: number | null;
  perPage?: number;
  /** `null`: members of any role. */
  minAccessLevel?: number | null;
}

async function readPage({
  resource,
  idAfter,
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
  });
  const repositories = parse(ProjectPage, items);
  assertAdvances({ repositories, idAfter });
  return { repositories, lastId: repositories.at(-1)?.gitlabProjectId ?? null };
}

async function readEnd(resource: ResourceConfig): Promise<ListedRepository[]> {
  const items: unknown = await new Projects(resource).all({
    membership: true,
    minAccessLevel: REPORTER,
    pagination: 'keyset',
    orderBy: 'id',
    sort: 'desc',
    perPage: LISTING_PAGE,
    maxPages: 1,
  });
  const repositories = parse(ProjectPage, items).toReversed();
  assertAdvances({ repositories, idAfter: null });
  return repositories;
}

/** A page that does not go forward would be asked for again and again, or hide what it skipped. */
function assertAdvances({
  repositories,
  idAfter,
}: {
  repositories: ListedRepository[];
  idAfter: number | null;
}): void {
  let previous = idAfter ?? 0;
  for (const { gitlabProjectId } of repositories) {
    if (gitlabProjectId <= previous) throw unreadable('a page of projects is not in ascending order of ids');
    previous = gitlabProjectId;
  }
}

async function readProject({
  resource,
  gitlabProjectId,
}: {
  resource: ResourceConfig;
  gitlabProjectId: number;
}): Promise<ListedRepository | null> {
  try {
    const repository = parse(Project, await new Projects(resource).show(gitlabProjectId));
    if (repository.gitlabProjectId !== gitlabProjectId)
      throw unreadable('another project than the one asked for');
    return repository;
  } catch (err) {
    if (isSecuError(err, 'repository_gone')) return null;
    throw err;
  }
}

/** GitLab answers for a path of before with a redirect to the id, which is asked for anew. */
async function readByPath(input: {
  resource: ResourceConfig;
  project: string | number;
}): Promise<ListedRepository | null> {
  try {
    return parse(Project, await new Projects(input.resource).show(input.project));
  } catch (err) {
    if (isSecuError(err, 'repository_gone')) return null;
    const movedTo = isSecuError(err, 'gitlab_redirected') ? err.details['projectId'] : undefined;
    if (typeof movedTo !== 'number' || typeof input.project === 'number') throw err;
    return readByPath({ ...input, project: movedTo });
  }
}

/** Says which field was wrong, not what stood in it. */
function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const paths = result.error.issues.map((issue) => issue.path.map(String).join('.') || 'the whole');
  throw unreadable(
    `these fields are missing or of another type: ${[...new Set(paths)].slice(0, 5).join(', ')}`,
  );
}

function unreadable(problem: string): SecuError {
  return new SecuError('gitlab_reply_unreadable', `GitLab's answer cannot be used: ${problem}`, {
    details: { problem: 'unexpected_shape' },
  });
}
