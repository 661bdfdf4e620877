import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isDatabaseAway } from '../db/database.ts';
import type { SecuErrorCode } from '../domain/errors.ts';
import { SecuError } from '../domain/errors.ts';
import type { Log } from '../log/logger.ts';
import type { ApiEnv } from './deps.ts';

/** Status and title of each code: the first of the two total tables. */
const ANSWERS: Record<SecuErrorCode, readonly [ContentfulStatusCode, string]> = {
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
  token_in_use: [409, 'The token is integrated already'],
  origin_not_allowed: [422, 'The address is not allowed'],
  idempotency_key_reused: [422, 'The idempotency key was used for another request'],
  idempotency_in_progress: [409, 'A request with this idempotency key is in progress'],
  managed_by_environment: [409, 'Managed by the environment'],
  reach_shrinks: [409, 'The new token reaches fewer repositories'],
  setup_code_invalid: [401, 'The set-up code is not valid'],
  setup_done: [409, 'There is an administrator already'],
  last_administrator: [409, 'The last administrator stays'],
  rotation_not_possible: [422, 'Rotation is not possible'],
  mail_not_configured: [422, 'No mail server is set'],
  channel_off: [409, 'The channel is switched off'],
  token_expired: [422, 'The token has expired'],
  token_revoked: [422, 'The token was revoked'],
  token_rejected: [422, 'GitLab does not know the token'],
  token_scope_missing: [422, 'The token lacks a scope'],
  token_wrong_kind: [422, 'This kind of token cannot call the API'],
  account_blocked: [422, 'The account of the token is blocked'],
  sso_session_required: [422, 'Single sign-on is required'],
  not_gitlab: [422, 'The address is not a GitLab'],
  rotation_lost: [409, 'The rotated token was lost'],
  gitlab_unreachable: [503, 'GitLab cannot be reached'],
  gitlab_tls_failed: [503, 'The TLS certificate of GitLab cannot be verified'],
  gitlab_redirected: [503, 'GitLab redirects elsewhere'],
  gitlab_rate_limited: [503, 'GitLab asks to slow down'],
  gitlab_reply_unreadable: [503, 'The answer of GitLab cannot be read'],
  repository_gone: [404, 'The repository is gone'],
  repository_forbidden: [422, 'The repository may not be read'],
  clone_failed: [502, 'The clone failed'],
  clone_too_large: [422, 'The repository is too large'],
  clone_timed_out: [504, 'The clone took too long'],
  scan_timed_out: [504, 'The scan took too long'],
  scanner_crashed: [502, 'A scanner crashed'],
  disk_low: [503, 'The disk is nearly full'],
  canceled: [409, 'Canceled'],
  secret_unreadable: [500, 'Internal error'],
  key_unknown: [500, 'Internal error'],
  invalid_settings: [500, 'Internal error'],
  home_in_use: [500, 'Internal error'],
  tool_unavailable: [500, 'Internal error'],
  embedded_failed: [500, 'Internal error'],
  database_unavailable: [503, 'The database is away'],
  schema_mismatch: [503, 'The database schema does not fit'],
  temporal_unavailable: [503, 'The Temporal server is away'],
  sign_on_unavailable: [503, 'The provider of single sign-on is away'],
  internal: [500, 'Internal error'],
};

const RETRY_AFTER_SECONDS = 5;

/** Any error as `application/problem+json` (RFC 9457). A 5xx tells the caller only its code and the request id. */
export function problemResponse({ c, err, log }: { c: Context<ApiEnv>; err: unknown; log: Log }): Response {
  const known = nameOf(err);
  const [usual, title] = ANSWERS[known.code];
  // asked for now it is a conflict with how things stand, as a setting it makes no sense
  const status = known.code === 'rotation_not_possible' && 'blockedBy' in known.details ? 409 : usual;
  const requestId = c.get('requestId');
  if (status >= 500) log.error({ requestId, code: known.code, err }, 'request failed');
  const { errors, ...details } = known.details;
  const problem = {
    type: `urn:secu:problem:${known.code}`,
    title,
    status,
    detail: status >= 500 ? `${title}. Give the request id to whoever runs Secu.` : known.message,
    code: known.code,
    requestId,
    ...(status >= 500 ? {} : details),
    ...(Array.isArray(errors) ? { errors } : {}),
  };
  return c.json(problem, status, {
    'Content-Type': 'application/problem+json',
    ...(status === 503 || status === 429 ? { 'Retry-After': retryAfterOf(known) } : {}),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer realm="Secu"' } : {}),
  });
}

function retryAfterOf({ details }: SecuError): string {
  const { retryAfterSeconds } = details;
  return String(typeof retryAfterSeconds === 'number' ? retryAfterSeconds : RETRY_AFTER_SECONDS);
}

function nameOf(err: unknown): SecuError {
  if (err instanceof SecuError) return err;
  if (isDatabaseAway(err))
    return new SecuError('database_unavailable', 'the database does not answer', { cause: err });
  if (err instanceof HTTPException) return ofHttp(err);
  return new SecuError('internal', 'unexpected', { cause: err });
}

function ofHttp(err: HTTPException): SecuError {
  if (err.status === 400)
    return new SecuError('invalid_request', err.message === '' ? 'the body is not JSON' : err.message);
  if (err.status === 413) return new SecuError('payload_too_large', 'the body may have at most 1 MiB');
  return new SecuError('internal', 'unexpected', { cause: err });
}

/** Problems of a body or query, each with its path. */
export function invalidRequest(
  issues: readonly { path: readonly PropertyKey[]; message: string }[],
): SecuError {
  const errors = issues.map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message }));
  const detail = errors
    .map((error) => (error.path === '' ? error.message : `${error.path}: ${error.message}`))
    .join('; ');
  return new SecuError('invalid_request', detail, { details: { errors } });
}
