import type { FormattedResponse, RequesterType, ResourceOptions } from '@gitbeaker/requester-utils';
import { createRequesterFn } from '@gitbeaker/requester-utils';
import type { Dispatcher, Response } from 'undici';
import { fetch } from 'undici';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';
import type { GitlabAnswer, RequestTarget } from './answer.ts';
import { answerOf, refusal, refusalOf } from './answer.ts';
import type { Pacer } from './pacer.ts';
import { transportError } from './transport-error.ts';

export const MAX_ANSWER_BYTES = 20 * 1_024 * 1_024;
const MAX_REFUSAL_BYTES = 64 * 1_024;
const ORIGIN_PAUSE_MS = 60_000;
const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i;

export interface RequesterDeps {
  policy: OutboundPolicy;
  pacer: Pacer;
  /** `Secu/<version>`: honest and stable, because proxies in front of GitLab may reject unknown user agents. */
  userAgent: string;
  requestTimeoutMs?: number;
  /** The connections for the one request whose answer must not be lost. */
  rotationTimeoutMs?: number;
}

/** The context of a request. */
export interface Call extends RequesterDeps {
  baseUrl: URL;
  /** Requests of one token share a pace. The lane identifies the token without containing it. */
  lane: string;
  /**
   * Removes the token from texts of the server, so that a server that repeats its request cannot write it into our
   * rows.
   */
  withoutToken: (text: string) => string;
  /** True if a person waits for the answer: the request may use the reserve of the pacer. */
  interactive?: boolean;
  /** Called with the headers of every answer, successful or not. */
  onHeaders?: (headers: Headers) => void;
  signal?: AbortSignal | undefined;
}

/**
 * The transport of gitbeaker: one request per call, without retry or redirect, limited in time and size, to an
 * address that the policy has checked. It removes `Link` from the answer, because gitbeaker would follow it.
 * @throws SecuError; see {@link refusalOf} and {@link transportError}
 */
export function requesterFor(call: Call): (options: ResourceOptions) => RequesterType {
  return createRequesterFn(
    (_service, request) => Promise.resolve(request),
    // gitbeaker requires its own body type; a schema parses the result anyway
    (endpoint, options = {}) =>
      sendRequest(call, wireRequest(endpoint, options)) as Promise<FormattedResponse<never>>,
  );
}

/**
 * One plain GET, for what gitbeaker does not offer: a request without a token, or an answer whose headers matter.
 * @throws as {@link requesterFor}
 */
export async function getPlain(
  call: Call,
  {
    endpoint,
    query = '',
    headers = {},
  }: { endpoint: string; query?: string; headers?: Record<string, string> },
): Promise<unknown> {
  const { body } = await sendRequest(call, {
    target: { method: 'GET', endpoint },
    query,
    headers,
    body: null,
  });
  return body;
}

/** How long a request that must not be delayed waits for the pacer. */
const SLOT_TIMEOUT_MS = 10_000;

/**
 * Sends one POST once, on its own connection, and waits for the answer longer than a server takes to give up. Only
 * `gitlab_rate_limited` with the problem `no_turn` proves that it was not sent.
 * @throws as {@link requesterFor}
 */
export async function postOnce(
  call: Omit<Call, 'signal'>,
  { endpoint, headers, body }: { endpoint: string; headers: Record<string, string>; body: string },
): Promise<unknown> {
  const base = call.policy.check(call.baseUrl.href);
  const target = { method: 'POST', endpoint, host: base.host };
  const lane = `${call.lane} ${endpoint.split('/')[0]}`;
  await waitForSlot({ call, target, lane, origin: base.origin });
  const dispatcher = call.policy.freshDispatcherFor(base);
  try {
    const { response, text } = await exchange(call, { target, query: '', headers, body }, base, dispatcher);
    return readReply({ response, text, target, base }).body;
  } catch (err) {
    throw isSecuError(err) && err.code !== 'origin_not_allowed' ? err : transportError(err, target);
  } finally {
    await dispatcher.close();
  }
}

async function waitForSlot(input: {
  call: Omit<Call, 'signal'>;
  target: RequestTarget;
  lane: string;
  origin: string;
}): Promise<void> {
  const { call, target, lane, origin } = input;
  const signal = AbortSignal.timeout(SLOT_TIMEOUT_MS);
  try {
    await call.pacer.take({ origin, lane, signal, interactive: call.interactive ?? false });
  } catch (err) {
    if (!signal.aborted) throw err;
    throw new SecuError('gitlab_rate_limited', `${target.method} ${target.endpoint}: GitLab asks to wait`, {
      details: { problem: 'no_turn' },
    });
  }
}

interface WireRequest {
  target: { method: string; endpoint: string };
  query: string;
  headers: Record<string, string>;
  body: string | null;
}

function wireRequest(endpoint: string, options: Record<string, unknown>): WireRequest {
  const { method, searchParams, headers, body } = options;
  return {
    target: { method: typeof method === 'string' ? method : 'GET', endpoint },
    query: typeof searchParams === 'string' ? searchParams : '',
    headers: headers as Record<string, string>,
    body: typeof body === 'string' ? body : null,
  };
}

async function sendRequest(call: Call, request: WireRequest): Promise<FormattedResponse> {
  const { policy, pacer, signal } = call;
  const base = policy.check(call.baseUrl.href);
  const target = { ...request.target, host: base.host };
  const lane = `${call.lane} ${target.endpoint.split('/')[0]}`;
  await pacer.take({ origin: base.origin, lane, signal, interactive: call.interactive ?? false });
  try {
    const { response, text } = await exchange(call, request, base);
    return readReply({ response, text, target, base });
  } catch (err) {
    signal?.throwIfAborted();
    const named = isSecuError(err) && err.code !== 'origin_not_allowed' ? err : transportError(err, target);
    if (named.code === 'gitlab_rate_limited') pauseAfter(named, { pacer, lane, origin: base.origin });
    throw named;
  }
}

async function exchange(
  call: Call,
  { target, query, headers, body }: WireRequest,
  base: URL,
  dispatcher?: Dispatcher,
): Promise<{ response: Response; text: BodyText }> {
  const { policy, userAgent, signal, onHeaders, requestTimeoutMs = 30_000 } = call;
  const url = new URL(`${base.href.replace(/\/+$/, '')}/api/v4/${target.endpoint}`);
  url.search = query;
  const deadline = AbortSignal.timeout(requestTimeoutMs);
  const response = await fetch(url, {
    method: target.method,
    headers: { ...headers, accept: 'application/json', 'user-agent': userAgent },
    body,
    redirect: 'manual',
    signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    dispatcher: dispatcher ?? policy.dispatcherFor(url),
  });
  onHeaders?.(new Headers([...response.headers]));
  const text = await readBody(response);
  return { response, text: { ...text, text: call.withoutToken(text.text) } };
}

interface BodyText {
  text: string;
  isWhole: boolean;
}

async function readBody(response: Response): Promise<BodyText> {
  const maxBytes = response.ok ? MAX_ANSWER_BYTES : MAX_REFUSAL_BYTES;
  const decoder = new TextDecoder('utf-8', { fatal: response.ok && isJsonType(response) });
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return { text, isWhole: false }; // leaving the loop cancels the rest of the body
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), isWhole: true };
}

function isJsonType(response: Response): boolean {
  return JSON_TYPE.test(response.headers.get('content-type') ?? '');
}

function readReply(input: {
  response: Response;
  text: BodyText;
  target: RequestTarget;
  base: URL;
}): FormattedResponse {
  const { response, target, base } = input;
  const { text, isWhole } = input.text;
  const { status, headers } = response;
  const body = isJsonType(response) && isWhole ? parseJson(text) : undefined;
  const bodyKind = bodyKindOf({ body, text, type: headers.get('content-type') ?? '' });
  const answer = answerOf({
    status,
    headers: new Headers([...headers]),
    bodyKind,
    body,
    base,
    nowMs: Date.now(),
  });
  if (!response.ok) throw refusalOf(answer, target);
  if (status === 204) return { status, headers: {}, body: null };
  if (!isWhole) throw refusal('gitlab_reply_unreadable', 'reply_too_large', answer, target);
  if (body === undefined) throw unreadable(answer, target);
  return { status, headers: {}, body: body as FormattedResponse['body'] };
}

function unreadable(answer: GitlabAnswer, target: RequestTarget): SecuError {
  return answer.bodyKind === 'html'
    ? refusal('not_gitlab', 'page_instead_of_api', answer, target)
    : refusal('gitlab_reply_unreadable', 'not_json', answer, target);
}

function bodyKindOf({
  body,
  text,
  type,
}: {
  body: unknown;
  text: string;
  type: string;
}): GitlabAnswer['bodyKind'] {
  if (body !== undefined) return 'json';
  return /^(text\/html|application\/xhtml)/i.test(type) || /^\s*<(!doctype|html)/i.test(text)
    ? 'html'
    : 'other';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (err) {
    if (err instanceof SyntaxError) return undefined;
    throw err;
  }
}

/** Pauses the whole origin: GitLab's general throttle (plain text) may count by address. */
function pauseAfter(
  err: SecuError,
  { pacer, lane, origin }: { pacer: Pacer; lane: string; origin: string },
): void {
  const { retryAfterMs, problem, retryAfterGuessed } = err.details;
  const guessed = retryAfterGuessed === true;
  if (typeof retryAfterMs !== 'number') return;
  pacer.pause({ key: lane, untilMs: Date.now() + retryAfterMs, guessed });
  if (problem === 'rate_limited') {
    const untilMs = Date.now() + Math.min(retryAfterMs, ORIGIN_PAUSE_MS);
    pacer.pause({ key: origin, untilMs, guessed });
  }
}
