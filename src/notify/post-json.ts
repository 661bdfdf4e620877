import type { Dispatcher } from 'undici';
import { fetch } from 'undici';
import type { SendOutcome } from '../domain/channel.ts';
import { transportFailure } from './failure.ts';

const GONE = 410;

export interface PostDeps {
  /** Connects only to addresses that were checked, verifies certificates. @throws SecuError `origin_not_allowed` */
  dispatcherFor: (url: URL) => Dispatcher;
  /** `Secu/<version>`. */
  userAgent: string;
  /** From the first byte sent to the last header received. */
  timeoutMs: number;
}

/**
 * One POST, never redirected. Of the answer only its status is looked at: the body is not read.
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
    return outcomeOf(response.status);
  } catch (err) {
    input.signal.throwIfAborted();
    return transportFailure(err);
  }
}

function outcomeOf(status: number): SendOutcome {
  if (status >= 200 && status < 300) return { sent: true, status };
  if (status === GONE) return { sent: false, cause: 'receiver_gone', status, final: true };
  if (status >= 500) return { sent: false, cause: 'receiver_failed', status, final: false };
  // another answer of 4xx is often a receiver that is being set up: a later attempt may arrive
  const cause = status < 400 ? 'redirected' : 'receiver_refused';
  return { sent: false, cause, status, final: false };
}
