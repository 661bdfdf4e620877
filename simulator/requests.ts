import type { SimulatedRequest } from './request.ts';
import { credentialsOf } from './request.ts';
import { tokenHash } from './tokens.ts';

export type LoggedRequest = {
  at: string;
  method: string;
  pathname: string;
  query: string;
  /** Method and pattern, such as `GET /api/v4/projects`, or `git info/refs`, `git upload-pack` (a fetch), `git ls-refs`. */
  route: string;
  /** How credentials were sent. */
  authorization: 'none' | 'private_token' | 'bearer' | 'basic' | 'query';
  userAgent: string;
  /** Null until answered; stays null if the connection ended without an answer. */
  status: number | null;
  /** The fault that changed the answer. */
  faultId: number | null;
};

const MAX_LOGGED_REQUESTS = 100_000;

/** The received requests, without tokens but with enough data to prove which credential was sent. */
export type RequestLog = {
  list(): readonly LoggedRequest[];
  /** Number of requests by route. */
  counts(): Record<string, number>;
  count(route: string): number;
  /** SHA-256, in hex, of every token that arrived in any form. */
  authorizationsSeen(): string[];
  clones(): { inFlight: number; maxInFlight: number; total: number };
  reset(): void;
};

/** The log with the methods that the server uses to write. */
export type RequestRecorder = RequestLog & {
  record(options: { request: SimulatedRequest; route: string; at: Date }): LoggedRequest;
  cloneStarted(): () => void;
};

export function createRequestLog(): RequestRecorder {
  let entries: LoggedRequest[] = [];
  const byRoute = new Map<string, number>();
  const hashes = new Set<string>();
  let [inFlight, maxInFlight, total] = [0, 0, 0];
  return {
    list: () => entries,
    counts: () => Object.fromEntries(byRoute),
    count: (route) => byRoute.get(route) ?? 0,
    authorizationsSeen: () => [...hashes],
    clones: () => ({ inFlight, maxInFlight, total }),
    reset() {
      entries = [];
      byRoute.clear();
      hashes.clear();
      [maxInFlight, total] = [inFlight, 0];
    },
    record({ request, route, at }) {
      const credentials = credentialsOf(request);
      if (credentials.kind !== 'none') hashes.add(tokenHash(credentials.secret));
      const query = new URLSearchParams(request.query);
      if (query.has('private_token')) query.set('private_token', '[token]');
      const entry: LoggedRequest = {
        at: at.toISOString(),
        method: request.method,
        pathname: request.pathname,
        query: query.toString(),
        route,
        authorization: credentials.kind,
        userAgent: request.headers['user-agent'] ?? '',
        status: null,
        faultId: null,
      };
      byRoute.set(route, (byRoute.get(route) ?? 0) + 1);
      entries.push(entry);
      if (entries.length > MAX_LOGGED_REQUESTS) entries = entries.slice(-MAX_LOGGED_REQUESTS / 2);
      return entry;
    },
    cloneStarted() {
      inFlight += 1;
      total += 1;
      maxInFlight = Math.max(maxInFlight, inFlight);
      let open = true;
      return () => {
        if (open) inFlight -= 1;
        open = false;
      };
    },
  };
}
