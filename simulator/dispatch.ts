import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { graphqlRoutes } from './api/graphql.ts';
import { groupRoutes } from './api/groups.ts';
import { presentedToken } from './api/guard.ts';
import { instanceRoutes } from './api/instance.ts';
import { projectRoutes } from './api/projects.ts';
import { repositoryRoutes } from './api/repository.ts';
import type { Route } from './api/route.ts';
import { matchPath } from './api/route.ts';
import { selfRoutes } from './api/self.ts';
import { deliver } from './delivery.ts';
import { replacementOf } from './fault-replies.ts';
import type { FaultPlan } from './faults.ts';
import { isWireFault } from './faults.ts';
import type { BanList } from './git/bans.ts';
import type { Repositories } from './git/repositories.ts';
import type { GitService } from './git/routes.ts';
import { gitServiceOf, isPackFetch, serveGit } from './git/routes.ts';
import { servePage } from './pages.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Reply } from './reply.ts';
import { apiError } from './reply.ts';
import type { SimulatedRequest } from './request.ts';
import type { RequestRecorder } from './requests.ts';
import { markUsed } from './tokens.ts';
import type { World } from './world.ts';

export type Instance = {
  world: World;
  repositories: Repositories;
  faults: FaultPlan;
  requests: RequestRecorder;
  bans: BanList;
  rateLimits: RateLimits;
  /** Path of `git-http-backend`. */
  backend: string;
  /** Min time from a request to its answer; the answer is prepared during this time. */
  latencyMs: number;
};

const ROUTES: Route[] = [
  ...selfRoutes,
  ...instanceRoutes,
  ...groupRoutes,
  ...projectRoutes,
  ...repositoryRoutes,
  ...graphqlRoutes,
];

type Target = {
  route: string;
  git: GitService | null;
  api: { route: Route; params: Record<string, string> } | null;
};

/** Answers one request of a client, like GitLab or as a planned fault defines. */
export async function answer(
  instance: Instance,
  request: SimulatedRequest,
  response: ServerResponse,
): Promise<void> {
  const { world } = instance;
  const target = targetOf(request);
  const isFetch = isPackFetch(request);
  const entry = instance.requests.record({ request, route: target.route, at: world.clock.now() });
  const cloneEnded = isFetch ? instance.requests.cloneStarted() : () => {};
  response.once('close', () => {
    if (response.headersSent) entry.status = response.statusCode;
    cloneEnded();
  });
  const due = instance.latencyMs > 0 ? delay(instance.latencyMs, undefined, { ref: false }) : null;
  const fault = instance.faults.take(request, isFetch);
  entry.faultId = fault?.id ?? null;
  if (fault?.answer.kind === 'hang') return;
  if (fault?.answer.kind === 'disconnect') {
    response.destroy();
    return;
  }
  const wire = fault !== null && isWireFault(fault.answer) ? fault.answer : null;
  const reply =
    fault === null || isWireFault(fault.answer)
      ? await rightAnswer(instance, request, target)
      : replacementOf(world, fault.answer, request.pathname);
  const headers = target.route.startsWith('git ') ? {} : commonHeaders(request);
  await due;
  await deliver({ response, reply: { ...reply, headers: { ...headers, ...reply.headers } }, fault: wire });
}

async function rightAnswer(instance: Instance, request: SimulatedRequest, target: Target): Promise<Reply> {
  const { world, repositories } = instance;
  const token = target.git === null ? presentedToken(world, request) : undefined;
  const caller = token === undefined ? request.address : `user ${token.userId}`;
  const limited = instance.rateLimits.check({
    caller,
    authenticated: token !== undefined,
    route: target.route,
    pathname: request.pathname,
  });
  if (limited !== null) return limited;
  if (target.git !== null) return serveGit({ ...instance, request, git: target.git });
  if (target.api === null) {
    if (request.pathname.startsWith('/api/'))
      return movedWrite(world, request) ?? apiError(world, 'unknown_route');
    return servePage({ world, repositories, request });
  }
  const reply = await target.api.route.handle({ world, repositories, request, params: target.api.params });
  if (token === undefined || reply.status === 401) return reply;
  // After the answer: the answer to the first use still shows null.
  if (reply.status < 400) markUsed(world, token);
  return { ...reply, headers: { ...instance.rateLimits.headers(caller), ...reply.headers } };
}

function targetOf(request: SimulatedRequest): Target {
  const git = gitServiceOf(request.pathname);
  if (git !== null) return { route: gitRoute(request, git), git, api: null };
  for (const route of ROUTES) {
    if (route.method !== request.method) continue;
    const params = matchPath(route.pattern, request.pathname);
    if (params !== null)
      return { route: `${route.method} ${route.pattern}`, git: null, api: { route, params } };
  }
  return { route: `${request.method} ${request.pathname}`, git: null, api: null };
}

function gitRoute(request: SimulatedRequest, git: GitService): string {
  if (git.service !== 'git-upload-pack') return `git ${git.service.replace('git-', '')}`;
  return isPackFetch(request) ? 'git upload-pack' : 'git ls-refs';
}

/** A push to a former path of a project is refused, not redirected. */
function movedWrite(world: World, request: SimulatedRequest): Reply | null {
  const params = matchPath('/api/v4/projects/:id', request.pathname);
  if (params === null || request.method === 'GET') return null;
  const moved = [...world.projects.values()].some((project) => project.oldPaths.includes(params['id'] ?? ''));
  return moved ? apiError(world, 'project_moved_write') : null;
}

function commonHeaders(request: SimulatedRequest): Record<string, string> {
  if (!request.pathname.startsWith('/api/')) return {};
  const id = randomBytes(16)
    .toString('base64url')
    .slice(0, 26)
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '0')
    .padEnd(26, '0');
  return {
    'X-Request-Id': id,
    'X-Gitlab-Meta': JSON.stringify({ correlation_id: id, version: '1' }),
    'Cache-Control': 'max-age=0, private, must-revalidate',
    Vary: 'Origin',
  };
}
