import { createHash } from 'node:crypto';
import { PersonalAccessTokens, Users } from '@gitbeaker/rest';
import type { Reach } from '../domain/dry-run.ts';
import type { WrongKindCause } from '../domain/dry-run-causes.ts';
import { isSecuError } from '../domain/errors.ts';
import type { Located } from '../domain/explain.ts';
import type { TokenFacts } from '../domain/integration.ts';
import type { ListedRepository } from '../domain/repository.ts';
import type { Secret } from '../domain/secret.ts';
import type { ListObservation, SelfObservation } from '../domain/verification.ts';
import { wrongKindByPrefix } from '../domain/verification.ts';
import type { ProtectedBranches } from './branches.ts';
import { requestProtectedBranches } from './branches.ts';
import { locateProject } from './locate-project.ts';
import { listRefusal, observeSelf, ownerOf } from './observe.ts';
import type { ListingFilter } from './page-reader.ts';
import { createPageReader, nullIfBroken } from './page-reader.ts';
import { parse } from './parse.ts';
import type { ListedEntry, ListingPage, ResourceConfig } from './project-pages.ts';
import {
  LISTING_PAGE,
  requestLastProjects,
  requestProject,
  requestProjectByPath,
  requestProjectsPage,
} from './project-pages.ts';
import { assertIsGitlab, countReach, rateLimitOf } from './reach.ts';
import type { RequesterDeps } from './requester.ts';
import { requesterFor } from './requester.ts';
import type { RotationAnswer } from './rotate.ts';
import { rotateSelf } from './rotate.ts';
import { CurrentUser, SelfToken } from './schemas.ts';

const MAX_SAMPLES = 4;

export interface RepositorySample {
  gitlabProjectId: number;
  fullPath: string;
  defaultBranch: string | null;
}

export interface ListingObservation {
  observation: ListObservation;
  /** A few listed repositories that are not empty. */
  samples: RepositorySample[];
}

interface Cancelable {
  signal?: AbortSignal | undefined;
}

/** GitLab's API for one token. Each method sends its requests once; the caller retries. */
export interface GitlabApi {
  /** The kind of token that its prefix names, if that kind cannot call the API. */
  readonly prefixKind: WrongKindCause | null;
  /**
   * Checks that a GitLab answers at this URL. The request has no token, so that no other server receives it.
   * @throws SecuError `not_gitlab` | `gitlab_*` | `origin_not_allowed`
   */
  assertIsGitlab(input: Cancelable): Promise<void>;
  /** GitLab's description of the token, with its owner if the token may read it. @throws as `listProjectsPage` */
  describeToken(input: Cancelable): Promise<TokenFacts>;
  /** What the token reaches, as counted by GitLab. @throws as `listProjectsPage` */
  countReach(input: Cancelable): Promise<Reach>;
  /** The rate limit from the last answer. */
  rateLimit(): { limit: number; remaining: number } | null;
  /** Observes the token itself. Does not throw for failures of GitLab or the network. */
  observeSelf(input?: Cancelable): Promise<SelfObservation>;
  /** Observes whether the token can list. Does not throw for failures of GitLab or the network. */
  observeListing(input?: Cancelable): Promise<ListingObservation>;
  /**
   * One page of the projects that the token can read, by ascending ID; `idAfter` null = the first page. With
   * `activeSince`, only those with activity since then. A project that GitLab cannot serve becomes an unreadable
   * entry.
   * @throws SecuError `token_*` | `account_blocked` | `not_gitlab` | `gitlab_*` | `origin_not_allowed`
   */
  listProjectsPage(input: ListingFilter & { idAfter: number | null; perPage?: number }): Promise<ListingPage>;
  /**
   * The page with the highest current IDs, also ascending; `null` if GitLab cannot serve it.
   * @throws as `listProjectsPage`
   */
  lastProjects(input?: Cancelable): Promise<ListedEntry[] | null>;
  /**
   * One repository, or `null` if GitLab says that it is gone or hidden (GitLab does not distinguish these).
   * @throws as `listProjectsPage`
   */
  readProject(gitlabProjectId: number, input?: Cancelable): Promise<ListedRepository | null>;
  /** The protected branches of the project. @throws as `listProjectsPage` */
  protectedBranches(gitlabProjectId: number, input?: Cancelable): Promise<ProtectedBranches>;
  /**
   * Asks GitLab once for a new token that replaces this one. This token is invalid from then on. Does not throw
   * for failures of GitLab or the network.
   * @see RotationAnswer
   */
  rotateSelf(input: { expiresAt: string }): Promise<RotationAnswer>;
  /** What the token can see of the project with this current or former path. @throws as `listProjectsPage` */
  locateProject(fullPath: string, input?: Cancelable): Promise<Located>;
}

export interface GitlabClient {
  /** `baseUrl` without a trailing slash; each request checks it against the policy. */
  forToken(input: {
    baseUrl: string;
    token: Secret;
    /** True if a person waits for the answers. */
    interactive?: boolean;
  }): GitlabApi;
}

/** The client of this process. All tokens share its pacer, connections and policy. */
export function createGitlabClient(deps: RequesterDeps): GitlabClient {
  return {
    forToken({ baseUrl, token, interactive = false }) {
      const bearer = token.reveal();
      const call = {
        ...deps,
        interactive,
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
      const observeOwnToken = (signal: AbortSignal | undefined) =>
        observeSelf(questions(resourceFor(signal)));
      const listProjectsPage = createPageReader(({ signal, activeSince }) => ({
        requestPage: (page) => requestProjectsPage({ resource: resourceFor(signal), activeSince, ...page }),
        requestLast: () => requestLastProjects(resourceFor(signal), 1),
        requestProject: (gitlabProjectId) =>
          requestProject({ resource: resourceFor(signal), gitlabProjectId }),
        isAlive: async () => isAlive(await observeOwnToken(signal)),
      }));
      return {
        prefixKind: wrongKindByPrefix(bearer),
        assertIsGitlab: ({ signal }) => assertIsGitlab({ ...call, signal }),
        describeToken: ({ signal }) => describeToken(questions(resourceFor(signal))),
        countReach: ({ signal }) => countReach({ ...call, signal }, bearer),
        rateLimit: () => rateLimitOf(lastHeaders),
        observeSelf: ({ signal } = {}) => observeOwnToken(signal),
        observeListing: (input = {}) => observeListing((idAfter) => listProjectsPage({ ...input, idAfter })),
        listProjectsPage,
        lastProjects: ({ signal } = {}) =>
          nullIfBroken(() => requestLastProjects(resourceFor(signal), LISTING_PAGE)),
        readProject: (gitlabProjectId, { signal } = {}) =>
          requestProject({ resource: resourceFor(signal), gitlabProjectId }),
        protectedBranches: (gitlabProjectId, { signal } = {}) =>
          requestProtectedBranches({ resource: resourceFor(signal), gitlabProjectId }),
        rotateSelf: ({ expiresAt }) => rotateSelf({ call, bearer, expiresAt }),
        locateProject(fullPath, { signal } = {}) {
          const resource = resourceFor(signal);
          return locateProject(fullPath, {
            read: (project) => requestProjectByPath({ resource, project }),
            firstAfter: async (options) =>
              (await requestProjectsPage({ resource, ...options, perPage: 1 })).entries[0] ?? null,
          });
        },
      };
    },
  };
}

async function describeToken(ask: ReturnType<typeof questions>) {
  const token = await ask.self();
  return { ...token, owner: await ownerOf(ask) };
}

function questions(resource: ResourceConfig) {
  return {
    self: async () => parse(SelfToken, await new PersonalAccessTokens(resource).show()),
    user: async () => parse(CurrentUser, await new Users(resource).showCurrentUser()),
  };
}

/** The number of pages to read for samples while no readable repository is found. */
const MAX_SAMPLE_PAGES = 3;

async function observeListing(
  readPage: (idAfter: number | null) => Promise<ListingPage>,
): Promise<ListingObservation> {
  try {
    let repositories = 0;
    let idAfter: number | null = null;
    for (let page = 1; ; page += 1) {
      const { entries, repositories: readable, lastId, endsUnidentified } = await readPage(idAfter);
      repositories += entries.length + (endsUnidentified ? 1 : 0);
      const samples = cloneSamplesOf(readable);
      const isEnough = samples.length > 0 || entries.every(({ unreadable }) => unreadable === null);
      if (isEnough || lastId === null || page === MAX_SAMPLE_PAGES)
        return { observation: { kind: 'listed', repositories }, samples };
      idAfter = lastId;
    }
  } catch (err) {
    if (!isSecuError(err)) throw err;
    return { observation: listRefusal(err), samples: [] };
  }
}

/** A few repositories that are not empty, from different groups if possible, so that the samples are independent. */
export function cloneSamplesOf(repositories: readonly ListedRepository[]): RepositorySample[] {
  const clonable = repositories.filter(
    (repository) => !repository.empty && !repository.repositoryDisabled && !repository.pendingDeletion,
  );
  const groups = new Set<string>();
  const firstOfGroup = clonable.filter(({ fullPath }) => {
    const [group = ''] = fullPath.split('/');
    const isNew = !groups.has(group);
    groups.add(group);
    return isNew;
  });
  return [...new Set([...firstOfGroup, ...clonable])]
    .slice(0, MAX_SAMPLES)
    .map(({ gitlabProjectId, fullPath, defaultBranch }) => ({ gitlabProjectId, fullPath, defaultBranch }));
}

function isAlive(self: SelfObservation): boolean {
  return self.kind === 'token' || self.kind === 'self_unreadable';
}
