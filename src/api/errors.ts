import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isDatabaseAway } from '../db/database.ts';
import type { Cause, ScanCause } from '../domain/causes.ts';
import { CAUSE_TEXTS, INVALID_CAUSES, REACHABILITY_CAUSES, SCAN_CAUSES } from '../domain/causes.ts';
import type { SecuErrorCode } from '../domain/errors.ts';
import { SecuError } from '../domain/errors.ts';
import { tableOf } from '../domain/total-table.ts';
import type { Log } from '../log/logger.ts';
import type { ApiEnv } from './deps.ts';

type Answer = readonly [status: ContentfulStatusCode, title: string];

const SCAN_STATUSES = {
  repository_gone: 404,
  repository_forbidden: 422,
  repository_redirected: 502,
  head_unresolved: 422,
  object_malformed: 422,
  too_many_files: 422,
  gateway_failed: 502,
  clone_failed: 502,
  clone_too_large: 422,
  clone_timed_out: 504,
  scan_timed_out: 504,
  scanner_crashed: 502,
  disk_low: 503,
  canceled: 409,
} as const satisfies Record<ScanCause, ContentfulStatusCode>;

/** HTTP status and title of each code. */
const ANSWERS: Record<SecuErrorCode, Answer> = {
  invalid_request: [400, 'The request is not valid'],
  unauthenticated: [401, 'Authentication is missing or not valid'],
  forbidden: [403, 'Not allowed'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body must be JSON'],
  misdirected_request: [421, 'Wrong host'],
  too_many_requests: [429, 'Too many requests'],
  name_taken: [409, 'The name is taken'],
  token_in_use: [409, 'The token is already integrated'],
  origin_not_allowed: [422, 'The address is not allowed'],
  idempotency_key_reused: [422, 'The idempotency key was used for another request'],
  idempotency_in_progress: [409, 'A request with this idempotency key is in progress'],
  managed_by_environment: [409, 'Managed by the environment'],
  reach_shrinks: [409, 'The new token reaches fewer repositories'],
  setup_code_invalid: [401, 'The setup code is not valid'],
  setup_done: [409, 'An administrator already exists'],
  last_administrator: [409, 'The last administrator cannot be removed'],
  rotation_not_possible: [422, 'Rotation is not possible'],
  mail_not_configured: [422, 'No mail server is configured'],
  channel_off: [409, 'The channel is switched off'],
  ...tableOf(INVALID_CAUSES, (cause): Answer => [422, causeTitle(cause)]),
  ...tableOf(REACHABILITY_CAUSES, (cause): Answer => [503, causeTitle(cause)]),
  not_gitlab: [422, causeTitle('not_gitlab')],
  rotation_lost: [409, causeTitle('rotation_lost')],
  ...tableOf(SCAN_CAUSES, (cause): Answer => [SCAN_STATUSES[cause], causeTitle(cause)]),
  secret_unreadable: [500, 'Internal error'],
  key_unknown: [500, 'Internal error'],
  invalid_settings: [500, 'Internal error'],
  home_in_use: [500, 'Internal error'],
  tool_unavailable: [500, 'Internal error'],
  embedded_failed: [500, 'Internal error'],
  database_unavailable: [503, 'The database is unavailable'],
  schema_mismatch: [503, 'The database schema does not match'],
  temporal_unavailable: [503, 'The Temporal server is unavailable'],
  sign_on_unavailable: [503, 'The single sign-on provider is unavailable'],
  internal: [500, 'Internal error'],
};

/** The title of a cause as a sentence. */
function causeTitle(cause: Cause): string {
  const { title } = CAUSE_TEXTS[cause];
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
}

const DEFAULT_RETRY_AFTER_SECONDS = 5;
/** Where GitLab does not say how long: the window of its general limits. */
const RATE_LIMIT_RETRY_AFTER_SECONDS = 60;

/** Any error as `application/problem+json` (RFC 9457). A 5xx answer holds only the code and the request id. */
export function problemResponse({ c, err, log }: { c: Context<ApiEnv>; err: unknown; log: Log }): Response {
  const known = toSecuError(err);
  const [defaultStatus, title] = ANSWERS[known.code];
  // rotating now conflicts with the state of the token (409); as a setting the value is invalid (422)
  const status = known.code === 'rotation_not_possible' && 'blockedBy' in known.details ? 409 : defaultStatus;
  const requestId = c.get('requestId');
  if (status >= 500) log.error({ requestId, code: known.code, err }, 'request failed');
  const { errors, ...details } = known.details;
  const problem = {
    type: `urn:secu:problem:${known.code}`,
    title,
    status,
    detail: status >= 500 ? serverErrorDetail(known, title) : known.message,
    code: known.code,
    requestId,
    ...(status >= 500 ? {} : details),
    ...(Array.isArray(errors) ? { errors } : {}),
  };
  return c.json(problem, status, {
    'Content-Type': 'application/problem+json',
    ...(status === 503 || status === 429 ? { 'Retry-After': String(retryAfterSeconds(known)) } : {}),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer realm="Secu"' } : {}),
  });
}

function retryAfterSeconds({ code, details }: SecuError): number {
  const { retryAfterSeconds: seconds, retryAfterMs } = details;
  if (typeof seconds === 'number') return seconds;
  if (typeof retryAfterMs === 'number') return Math.ceil(retryAfterMs / 1_000);
  return code === 'gitlab_rate_limited' ? RATE_LIMIT_RETRY_AFTER_SECONDS : DEFAULT_RETRY_AFTER_SECONDS;
}

/** For a 5xx only the code and the request id; for a rate limit of GitLab also when to try again. */
function serverErrorDetail(err: SecuError, title: string): string {
  if (err.code === 'gitlab_rate_limited')
    return `${title}. Secu waits too; try again in ${retryAfterSeconds(err)} seconds.`;
  return `${title}. If it persists, give the request id to your Secu administrator.`;
}

function toSecuError(err: unknown): SecuError {
  if (err instanceof SecuError) return err;
  if (isDatabaseAway(err))
    return new SecuError('database_unavailable', 'the database did not answer', { cause: err });
  if (err instanceof HTTPException) return fromHttpException(err);
  return new SecuError('internal', 'unexpected error', { cause: err });
}

function fromHttpException(err: HTTPException): SecuError {
  if (err.status === 400)
    return new SecuError('invalid_request', err.message === '' ? 'the body is not JSON' : err.message);
  if (err.status === 413) return new SecuError('payload_too_large', 'the body is larger than 1 MiB');
  return new SecuError('internal', 'unexpected error', { cause: err });
}

/** A 400 with the path and message of every invalid field. */
export function invalidRequest(
  issues: readonly { path: readonly PropertyKey[]; message: string }[],
): SecuError {
  const errors = issues.map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message }));
  const detail = errors
    .map((error) => (error.path === '' ? error.message : `${error.path}: ${error.message}`))
    .join('; ');
  return new SecuError('invalid_request', detail, { details: { errors } });
}
