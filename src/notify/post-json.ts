import type { Dispatcher } from 'undici';
import { fetch } from 'undici';
import type { SendOutcome } from '../domain/channel.ts';
import { transportFailure } from './failure.ts';

const GONE = 410;

export interface PostDeps {
  /** Connects only to checked addresses and verifies certificates. @throws SecuError `origin_not_allowed` */
  dispatcherFor: (url: URL) => Dispatcher;
  /** `Secu/<version>`. */
  userAgent: string;
  /** The time limit from the first byte sent to the last header received. */
  timeoutMs: number;
}

/**
 * Sends one POST without following redirects. It uses only the status and `Retry-After` of the answer; the body is
 * not read.
 * @throws the signal's reason on abort
 */
export async function postJson(
  deps: PostDeps,
  input: { url: string; body: string; headers?: Record<string, string>; signal: AbortSignal },
): Promise<SendOutcome> {
  try {
    const url = new URL(input.url);
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...input.headers, 'content-type': 'application/json', 'user-agent': deps.userAgent },
      body: input.body,
      redirect: 'manual',
      dispatcher: deps.dispatcherFor(url),
      signal: AbortSignal.any([input.signal, AbortSignal.timeout(deps.timeoutMs)]),
    });
    await response.body?.cancel();
    return outcomeOf(response.status, response.headers.get('retry-after'));
  } catch (err) {
    input.signal.throwIfAborted();
    return transportFailure(err);
  }
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** `Retry-After` in ms: seconds or a date in HTTP (RFC 9110, 10.2.3). */
function retryAfterMsOf(header: string | null): number | null {
  if (header === null) return null;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(waitMs) ? null : Math.min(MAX_RETRY_AFTER_MS, Math.max(1_000, waitMs));
}

function outcomeOf(status: number, retryAfter: string | null): SendOutcome {
  if (status >= 200 && status < 300) return { sent: true, status };
  if (status === GONE) return { sent: false, cause: 'receiver_gone', status, final: true };
  const retryAfterMs = status === 429 || status === 503 ? retryAfterMsOf(retryAfter) : null;
  const wait = retryAfterMs === null ? {} : { retryAfterMs };
  if (status >= 500) return { sent: false, cause: 'receiver_failed', status, final: false, ...wait };
  // other 4xx answers often come from a receiver that is being set up, so a later attempt may succeed
  const cause = status < 400 ? 'redirected' : 'receiver_refused';
  return { sent: false, cause, status, final: false, ...wait };
}
