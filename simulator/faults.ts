import { z } from 'zod';

import type { SimulatedRequest } from './request.ts';

const Headers = z.record(z.string(), z.string());

/** What happens instead of the right answer. */
export const FaultAnswer = z.discriminatedUnion('kind', [
  /** This answer; a body that is not a string is sent as JSON. */
  z.object({
    kind: z.literal('reply'),
    status: z.number().int(),
    headers: Headers.optional(),
    body: z.unknown().optional(),
  }),
  /** An entry of `api_errors.json` or `git_http_cases.json`. */
  z.object({
    kind: z.literal('case'),
    id: z.string(),
    of: z.enum(['api', 'git']).optional(),
    headers: Headers.optional(),
  }),
  /** The request is read and nothing is ever answered. */
  z.object({ kind: z.literal('hang') }),
  /** The connection is closed before any answer; nothing was done. */
  z.object({ kind: z.literal('disconnect') }),
  /** The answer is cut: the connection is reset after this number of bytes of the body (default: half). */
  z.object({ kind: z.literal('cut'), afterBytes: z.number().int().min(0).optional() }),
  /** The right status and headers; half of the JSON, with a matching length. */
  z.object({ kind: z.literal('truncated_json') }),
  /** The right answer, with an empty text in one field of its JSON. */
  z.object({ kind: z.literal('emptied'), field: z.string() }),
  /** A page of a proxy, a sign-in or a gateway. */
  z.object({ kind: z.literal('html'), status: z.number().int(), title: z.string().optional() }),
  /** The two limiters answer differently; `retryAfterSeconds` null leaves the header out. */
  z.object({
    kind: z.literal('rate_limit'),
    limiter: z.enum(['rack_attack', 'application']),
    retryAfterSeconds: z.number().int().nullable().optional(),
  }),
  z.object({ kind: z.literal('redirect'), location: z.string(), status: z.number().int().optional() }),
  /** The right answer, late or in a trickle. */
  z.object({
    kind: z.literal('slow'),
    delayMs: z.number().int().min(0).optional(),
    bytesPerSecond: z.number().int().min(1).optional(),
  }),
  /** Everything is done as asked, and the client does not learn it. */
  z.object({ kind: z.literal('lost_reply'), how: z.enum(['disconnect', 'bad_gateway', 'hang']).optional() }),
  /** A pkt-line `ERR`, as Gitaly answers when it is full. */
  z.object({ kind: z.literal('git_error'), message: z.string().optional() }),
  /** A fetch that begins correctly and never ends: only progress, or with `data` an endless pack. */
  z.object({
    kind: z.literal('endless_pack'),
    bytesPerSecond: z.number().int().min(1).optional(),
    data: z.boolean().optional(),
  }),
]);
export type FaultAnswer = z.infer<typeof FaultAnswer>;

/** Faults for which the request is carried out, and only its answer suffers. */
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
   * Text: the path alone, exactly; expression: tested on path and query.
   * Git's two steps are `/group/name.git/info/refs` and `/group/name.git/git-upload-pack`.
   */
  path: string | RegExp;
  /** Fetches of objects only; `ls-remote` uses the same address. */
  fetchOnly?: boolean | undefined;
  /** From which matching request on, from 1. */
  nth?: number | undefined;
  /** For how many requests. Default: one when `nth` is given, else all until cleared. */
  times?: number | undefined;
};

export type FaultHandle = { id: number; hits(): number; remove(): void };

/** The plan of what goes wrong. The first fault that fits a request wins. */
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
  // A pattern with the flag g or y would remember where it stood.
  return new RegExp(match.path.source, match.path.flags.replace(/[gy]/g, '')).test(
    query === '' ? request.pathname : `${request.pathname}?${query}`,
  );
}
