import { z } from 'zod';

import type { SimulatedRequest } from './request.ts';

const Headers = z.record(z.string(), z.string());

/** What happens instead of the normal answer. */
export const FaultAnswer = z.discriminatedUnion('kind', [
  /** Sends this answer; a body that is not a string is sent as JSON. */
  z.object({
    kind: z.literal('reply'),
    status: z.number().int(),
    headers: Headers.optional(),
    body: z.unknown().optional(),
  }),
  /** Sends an entry of `api_errors.json` or `git_http_cases.json`. */
  z.object({
    kind: z.literal('case'),
    id: z.string(),
    of: z.enum(['api', 'git']).optional(),
    headers: Headers.optional(),
  }),
  /** Reads the request and never answers. */
  z.object({ kind: z.literal('hang') }),
  /** Closes the connection before any answer; the request is not executed. */
  z.object({ kind: z.literal('disconnect') }),
  /** Resets the connection after this number of bytes of the body (default: half). */
  z.object({ kind: z.literal('cut'), afterBytes: z.number().int().min(0).optional() }),
  /** Sends the normal status and headers, but half of the JSON, with a matching length. */
  z.object({ kind: z.literal('truncated_json') }),
  /** Sends the normal answer with an empty text in one field of its JSON. */
  z.object({ kind: z.literal('emptied'), field: z.string() }),
  /** Sends a page of a proxy, a sign-in or a gateway. */
  z.object({ kind: z.literal('html'), status: z.number().int(), title: z.string().optional() }),
  /** Each of the two limiters answers differently; `retryAfterSeconds` null omits the header. */
  z.object({
    kind: z.literal('rate_limit'),
    limiter: z.enum(['rack_attack', 'application']),
    retryAfterSeconds: z.number().int().nullable().optional(),
  }),
  z.object({ kind: z.literal('redirect'), location: z.string(), status: z.number().int().optional() }),
  /** Sends the normal answer late or slowly. */
  z.object({
    kind: z.literal('slow'),
    delayMs: z.number().int().min(0).optional(),
    bytesPerSecond: z.number().int().min(1).optional(),
  }),
  /** Executes the request, but the client does not receive the result. */
  z.object({ kind: z.literal('lost_reply'), how: z.enum(['disconnect', 'bad_gateway', 'hang']).optional() }),
  /** Sends a pkt-line `ERR`, like an overloaded Gitaly. */
  z.object({ kind: z.literal('git_error'), message: z.string().optional() }),
  /** Answers a fetch with a correct start and no end: only progress, or with `data` an endless pack. */
  z.object({
    kind: z.literal('endless_pack'),
    bytesPerSecond: z.number().int().min(1).optional(),
    data: z.boolean().optional(),
  }),
]);
export type FaultAnswer = z.infer<typeof FaultAnswer>;

/** Faults that execute the request and affect only its answer. */
export type WireFault = Extract<
  FaultAnswer,
  { kind: 'cut' | 'truncated_json' | 'emptied' | 'slow' | 'lost_reply' }
>;

export function isWireFault(answer: FaultAnswer): answer is WireFault {
  return ['cut', 'truncated_json', 'emptied', 'slow', 'lost_reply'].includes(answer.kind);
}

export type FaultMatch = {
  method?: string | undefined;
  /**
   * A string must equal the path; a regular expression is tested on path and query. Git's two steps are
   * `/group/name.git/info/refs` and `/group/name.git/git-upload-pack`.
   */
  path: string | RegExp;
  /** Matches only fetches of objects; `ls-remote` uses the same address. */
  fetchOnly?: boolean | undefined;
  /** The first matching request that is affected, counted from 1. */
  nth?: number | undefined;
  /** Number of affected requests. Default: one if `nth` is given, otherwise all until cleared. */
  times?: number | undefined;
};

export type FaultHandle = { id: number; hits(): number; remove(): void };

/** The planned faults. The first one that matches a request is used. */
export type Faults = {
  add(fault: { match: FaultMatch; answer: FaultAnswer }): FaultHandle;
  clear(): void;
  list(): Array<{ id: number; hits: number; answer: FaultAnswer }>;
};

export type FaultPlan = Faults & {
  take(request: SimulatedRequest, isFetch: boolean): { id: number; answer: FaultAnswer } | null;
};

export function createFaultPlan(): FaultPlan {
  type Entry = { id: number; match: FaultMatch; answer: FaultAnswer; seen: number; hits: number };
  const entries = new Map<number, Entry>();
  let nextId = 1;
  return {
    add(fault) {
      const entry: Entry = { id: nextId, ...fault, seen: 0, hits: 0 };
      nextId += 1;
      entries.set(entry.id, entry);
      return { id: entry.id, hits: () => entry.hits, remove: () => entries.delete(entry.id) };
    },
    clear: () => entries.clear(),
    list: () => [...entries.values()].map(({ id, hits, answer }) => ({ id, hits, answer })),
    take(request, isFetch) {
      for (const entry of entries.values()) {
        const { match } = entry;
        if (!fits(match, request, isFetch)) continue;
        entry.seen += 1;
        const first = match.nth ?? 1;
        const times = match.times ?? (match.nth === undefined ? Number.POSITIVE_INFINITY : 1);
        if (entry.seen < first || entry.seen >= first + times) continue;
        entry.hits += 1;
        return { id: entry.id, answer: entry.answer };
      }
      return null;
    },
  };
}

function fits(match: FaultMatch, request: SimulatedRequest, isFetch: boolean): boolean {
  if (match.method !== undefined && match.method !== request.method) return false;
  if (match.fetchOnly === true && !isFetch) return false;
  if (typeof match.path === 'string') return match.path === request.pathname;
  const query = request.query.toString();
  // A pattern with the flag g or y would keep its last position.
  return new RegExp(match.path.source, match.path.flags.replace(/[gy]/g, '')).test(
    query === '' ? request.pathname : `${request.pathname}?${query}`,
  );
}
