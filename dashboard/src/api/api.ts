import type { ClientResponse } from 'hono/client';
import { hc } from 'hono/client';
import type { App } from '../../../src/api/app.ts';
import type { ProblemBody } from './problem.ts';
import { Problem } from './problem.ts';
import { serverClock } from './server-clock.ts';
import type { Body } from './types.ts';

/** Typed client of the API; the types are those of the server. */
export const api = hc<App>(location.origin).api.v1;

let signedOutListener: () => void = () => {};

/** Registers what to do when the session has ended. */
export function onSignedOut(listener: () => void): void {
  signedOutListener = listener;
}

/**
 * The body of a successful answer; `undefined` for 204.
 * @throws Problem
 */
export async function request<R extends ClientResponse<unknown, number, string>>(
  call: Promise<R>,
): Promise<Body<R>> {
  const { body } = await requestWithStatus(call);
  return body;
}

/** Like {@link request}; `done` is false for 202, where the server continues in the background. */
export async function requestWithStatus<R extends ClientResponse<unknown, number, string>>(
  call: Promise<R>,
): Promise<{ done: boolean; body: Body<R> }> {
  const response = await awaitResponse(call);
  serverClock.observe(response.headers.get('Date'));
  if (response.ok) {
    const body = (response.status === 204 ? undefined : await response.json()) as Body<R>;
    return { done: response.status !== 202, body };
  }
  const problem = await readProblem(response);
  if (problem.status === 401 && problem.code === 'unauthenticated') signedOutListener();
  throw problem;
}

async function awaitResponse<R>(call: Promise<R>): Promise<R> {
  try {
    return await call;
  } catch (err) {
    if (err instanceof DOMException && err.name === 'AbortError') throw err;
    throw new Problem({
      code: 'network',
      status: 0,
      title: 'No answer from Secu',
      detail: 'The server did not answer. Check that Secu is running and that you can reach it.',
      requestId: null,
    });
  }
}

async function readProblem(response: { status: number; headers: Headers; json(): Promise<unknown> }) {
  const retryAfter = response.headers.get('Retry-After');
  const extra = retryAfter === null ? {} : { retryAfter: Number(retryAfter) };
  try {
    return new Problem({ ...((await response.json()) as ProblemBody), ...extra });
  } catch {
    return new Problem({
      code: 'unreadable',
      status: response.status,
      title: `Secu answered ${response.status}`,
      detail: 'The answer does not come from Secu. Check for a proxy in between.',
      requestId: response.headers.get('X-Request-Id'),
      ...extra,
    });
  }
}

/** Header value for a POST that must not run twice. `crypto.randomUUID` is missing on plain http. */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
