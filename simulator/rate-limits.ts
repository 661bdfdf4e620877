import type { Clock } from './clock.ts';
import type { Reply } from './reply.ts';
import { apiError } from './reply.ts';
import type { World } from './world.ts';

type Window = { startedMs: number; count: number };

/** One limit: which requests it counts, how many are allowed, and in which time. */
type Limit = {
  name: string;
  kind: 'rack_attack' | 'application';
  limit: number;
  windowMs: number;
  route?: string;
};

const GENERAL: Limit = {
  name: 'throttle_authenticated_api',
  kind: 'rack_attack',
  limit: 2_000,
  windowMs: 60_000,
};
const ANONYMOUS: Limit = {
  name: 'throttle_unauthenticated_api',
  kind: 'rack_attack',
  limit: 500,
  windowMs: 60_000,
};
const GIT: Limit = {
  name: 'throttle_authenticated_git_http',
  kind: 'rack_attack',
  limit: 10_000,
  windowMs: 60_000,
};
const ARCHIVE_PATTERN = /\/repository\/archive/;
const APPLICATION: Limit[] = [
  {
    name: 'projects_api',
    kind: 'application',
    limit: 2_000,
    windowMs: 600_000,
    route: 'GET /api/v4/projects',
  },
  {
    name: 'project_api',
    kind: 'application',
    limit: 400,
    windowMs: 60_000,
    route: 'GET /api/v4/projects/:id',
  },
];
const ARCHIVE: Limit = {
  name: 'project_repositories_archive',
  kind: 'application',
  limit: 5,
  windowMs: 60_000,
};

/**
 * GitLab.com's limits: always counted, but enforced only on request.
 * @see `data/rate_limits.json`
 */
export type RateLimits = {
  /** Counts the request. Returns the refusal if a limit is enforced and exceeded. */
  check(request: { caller: string; authenticated: boolean; route: string; pathname: string }): Reply | null;
  /** The `RateLimit-*` headers of an authenticated answer. */
  headers(caller: string): Record<string, string>;
};

/** @param options.enforced whether requests over a limit are refused; archives are always limited */
export function createRateLimits(options: { world: World; enforced: boolean }): RateLimits {
  const { world } = options;
  const windows = new Map<string, Window>();
  return {
    check({ caller, authenticated, route, pathname }) {
      const git = route.startsWith('git ');
      const general = git ? GIT : authenticated ? GENERAL : ANONYMOUS;
      const passedGeneral =
        count({ windows, clock: world.clock, limit: general, key: caller }) > general.limit;
      if (options.enforced && passedGeneral)
        return throttled(world, general, windows.get(`${general.name} ${caller}`));
      const application = ARCHIVE_PATTERN.test(route)
        ? ARCHIVE
        : APPLICATION.find((limit) => limit.route === route);
      if (application === undefined) return null;
      const key = application === ARCHIVE ? `${caller} ${pathname}` : caller;
      const passed = count({ windows, clock: world.clock, limit: application, key }) > application.limit;
      if (!passed || (application !== ARCHIVE && !options.enforced)) return null;
      const seconds = String(application.windowMs / 1000);
      return apiError(world, application === ARCHIVE ? 'throttled_archive' : 'throttled_application', {
        headers: { 'Retry-After': seconds },
      });
    },
    headers(caller) {
      const window = windows.get(`${GENERAL.name} ${caller}`) ?? {
        startedMs: world.clock.now().getTime(),
        count: 0,
      };
      return {
        'RateLimit-Limit': String(GENERAL.limit),
        'RateLimit-Name': GENERAL.name,
        'RateLimit-Observed': String(window.count),
        'RateLimit-Remaining': String(Math.max(0, GENERAL.limit - window.count)),
        'RateLimit-Reset': String(Math.ceil((window.startedMs + GENERAL.windowMs) / 1000)),
      };
    },
  };
}

function count(options: { windows: Map<string, Window>; clock: Clock; limit: Limit; key: string }): number {
  const { windows, limit } = options;
  const name = `${limit.name} ${options.key}`;
  const nowMs = options.clock.now().getTime();
  const known = windows.get(name);
  const fresh = known !== undefined && nowMs >= known.startedMs && nowMs < known.startedMs + limit.windowMs;
  const window = fresh ? known : { startedMs: nowMs, count: 0 };
  window.count += 1;
  windows.set(name, window);
  return window.count;
}

function throttled(world: World, limit: Limit, window: Window | undefined): Reply {
  const reply = apiError(world, 'throttled_rack_attack');
  const resetMs = (window?.startedMs ?? world.clock.now().getTime()) + limit.windowMs;
  const seconds = Math.max(1, Math.ceil((resetMs - world.clock.now().getTime()) / 1000));
  Object.assign(reply.headers, {
    'RateLimit-Limit': String(limit.limit),
    'RateLimit-Name': limit.name,
    'RateLimit-Observed': String(window?.count ?? limit.limit + 1),
    'RateLimit-Reset': String(Math.ceil(resetMs / 1000)),
    'RateLimit-ResetTime': new Date(resetMs).toUTCString(),
    'Retry-After': String(seconds),
  });
  return reply;
}
