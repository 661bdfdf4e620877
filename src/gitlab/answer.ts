import type { SecuErrorCode } from '../domain/errors.ts';
import { SecuError } from '../domain/errors.ts';
import type { GitlabProblem } from '../domain/gitlab-problem.ts';

const MAX_PAUSE_MS = 900_000;
const PROJECTS_PAUSE_MS = 600_000;
const OTHER_PAUSE_MS = 60_000;

/** What an answer says, without request, headers or token. */
export interface GitlabAnswer {
  status: number;
  bodyKind: 'json' | 'html' | 'other';
  /** GitLab's `error` field: a code for programs. */
  error: string | null;
  errorDescription: string | null;
  /** GitLab's `message` field; objects and lists as JSON. */
  message: string | null;
  retryAfterMs: number | null;
  requestId: string | null;
  /** Host and path of `Location`, without its query. */
  location: {
    host: string;
    pathname: string;
    points: 'to_https' | 'to_www' | 'elsewhere';
    /** The ID of a renamed project, from the redirect of its former path. */
    projectId?: number;
  } | null;
  /**
   * True if a bot protection answered instead of GitLab. Source: Cloudflare docs, "Detect a Challenge Page
   * response".
   */
  isChallenge: boolean;
}

/** The request of an answer: the endpoint without query, below `/api/v4/`. */
export interface RequestTarget {
  method: string;
  endpoint: string;
  host: string;
}

/** GitLab's texts for a user who may not use the API now. Source: `lib/gitlab/auth/user_access_denied_reason.rb`. */
const DENIED_PERSON =
  /^403 Forbidden - .*(account (has been|is) |must accept the Terms of Service|email address is not confirmed|password expired|internal users)/is;
const SIGN_IN_PATH = /\/(users\/sign_in|users\/auth|oauth2?|saml|sso|login|signin|sign_in|adfs|auth)(\/|$)/i;

/** Maps an unsuccessful answer to its error. Source: decision table of the GitLab API guard, and our contract. */
export function refusalOf(answer: GitlabAnswer, target: RequestTarget): SecuError {
  const { status } = answer;
  if (status >= 300 && status < 400) return redirectRefusal(answer, target);
  if (status === 429) return rateLimitRefusal(answer, target);
  if (status >= 500) {
    const problem = isMaintenance(answer) ? 'maintenance' : 'server_error';
    return refusal('gitlab_unreachable', problem, answer, target);
  }
  if (target.method === 'POST' && answer.bodyKind === 'json' && (status === 400 || status === 404))
    return rotationRefusal(answer, target);
  if (status === 407) return refusal('gitlab_unreachable', 'proxy_refused', answer, target);
  if (status === 404) return notFoundRefusal(answer, target);
  if (status === 401) return unauthorizedRefusal(answer, target);
  if (status === 403) return forbiddenRefusal(answer, target);
  if (target.endpoint.startsWith('personal_access_tokens/')) return tokenRouteRefusal(answer, target);
  return refusal('gitlab_reply_unreadable', 'unexpected_status', answer, target);
}

/** True if GitLab refuses all writes during maintenance. Source: GitLab docs, "Maintenance mode". */
function isMaintenance({ status, message }: GitlabAnswer): boolean {
  return status === 503 && /^GitLab Maintenance\b/.test(message ?? '');
}

function redirectRefusal(answer: GitlabAnswer, target: RequestTarget): SecuError {
  const isSignIn = answer.location !== null && SIGN_IN_PATH.test(answer.location.pathname);
  if (isSignIn) return refusal('not_gitlab', 'redirected_to_sign_in', answer, target);
  return refusal('gitlab_redirected', `redirected_${answer.location?.points ?? 'elsewhere'}`, answer, target);
}

function rateLimitRefusal(answer: GitlabAnswer, target: RequestTarget): SecuError {
  const fallbackMs = target.endpoint === 'projects' ? PROJECTS_PAUSE_MS : OTHER_PAUSE_MS;
  const retryAfterMs = answer.retryAfterMs ?? fallbackMs;
  const problem = answer.bodyKind === 'json' ? 'route_rate_limited' : 'rate_limited';
  const err = refusal('gitlab_rate_limited', problem, { ...answer, retryAfterMs }, target);
  if (answer.retryAfterMs !== null) return err;
  return new SecuError(err.code, err.message, { details: { ...err.details, retryAfterGuessed: true } });
}

/** True for GitLab's 404 of a project that is gone or hidden, which uses `message`. An unknown route uses `error`. */
function notFoundRefusal(answer: GitlabAnswer, target: RequestTarget): SecuError {
  const isProject = /^projects\/[^/]+/.test(target.endpoint);
  if (isProject && answer.message !== null && /not found/i.test(answer.message)) {
    return refusal('repository_gone', 'not_found', answer, target);
  }
  return refusal('not_gitlab', 'unknown_route', answer, target);
}

/** Maps a 401. Only a JSON body in GitLab's format says something about the token. */
function unauthorizedRefusal(answer: GitlabAnswer, target: RequestTarget): SecuError {
  const words = answer.errorDescription ?? '';
  if (answer.error === null && answer.message === null) {
    return refusal('gitlab_reply_unreadable', 'unexpected_sign_in', answer, target);
  }
  if (answer.error === 'invalid_token' && /expired/i.test(words)) {
    return refusal('token_expired', 'unauthorized', answer, target);
  }
  if (answer.error === 'invalid_token' && /revoked/i.test(words)) {
    return refusal('token_revoked', 'unauthorized', answer, target);
  }
  return refusal('token_rejected', problemOfToken(answer), answer, target);
}

function problemOfToken({ error, errorDescription }: GitlabAnswer): GitlabProblem {
  if (error === 'dpop_error') return 'dpop_required';
  return /impersonation/i.test(errorDescription ?? '') ? 'impersonation_switched_off' : 'unauthorized';
}

/** Maps a 403. Its cause is rarely the token: it is a ban, a challenge or the policy of one group. */
function forbiddenRefusal(answer: GitlabAnswer, target: RequestTarget): SecuError {
  if (answer.error === 'insufficient_scope') return refusal('token_scope_missing', 'scope', answer, target);
  if (answer.error === 'insufficient_granular_scope') {
    return refusal('token_scope_missing', 'granular_scope', answer, target);
  }
  if (answer.message !== null && DENIED_PERSON.test(answer.message)) {
    return refusal('account_blocked', problemOfPerson(answer.message), answer, target);
  }
  if (answer.isChallenge) return refusal('gitlab_unreachable', 'bot_challenge', answer, target);
  return refusal('gitlab_unreachable', 'forbidden', answer, target);
}

function problemOfPerson(message: string): GitlabProblem {
  if (/not confirmed/i.test(message)) return 'account_not_confirmed';
  if (/Terms of Service/i.test(message)) return 'account_must_accept_terms';
  return /password expired/i.test(message) ? 'account_password_expired' : 'account_blocked';
}

function tokenRouteRefusal(answer: GitlabAnswer, target: RequestTarget): SecuError {
  const { status, message, error } = answer;
  if (status === 405 || (status === 400 && /personal access token/i.test(message ?? ''))) {
    return refusal('token_wrong_kind', 'wrong_kind', answer, target);
  }
  if (status === 400 && /id is invalid/i.test(error ?? ''))
    return refusal('not_gitlab', 'too_old', answer, target);
  return refusal('gitlab_reply_unreadable', 'unexpected_status', answer, target);
}

/**
 * Maps a refused rotation. A JSON 400 changed nothing, and neither did a 404 of a GitLab before 16.10, which lacks
 * the route. The text of the 400 differs between releases, but always contains "must be before <date>".
 * Source: GitLab, `app/services/personal_access_tokens/rotate_service.rb`.
 */
function rotationRefusal(answer: GitlabAnswer, target: RequestTarget): SecuError {
  if (answer.status === 404) return refusal('rotation_not_possible', 'gitlab_too_old', answer, target);
  const words = `${answer.message ?? ''} ${answer.error ?? ''}`;
  const mustBeBefore = /must be before (\d{4}-\d{2}-\d{2})/i.exec(words)?.[1];
  if (mustBeBefore !== undefined) {
    const err = refusal('rotation_not_possible', 'expiry_not_accepted', answer, target);
    return new SecuError(err.code, err.message, { details: { ...err.details, mustBeBefore } });
  }
  if (/revoked|expired/i.test(words)) return refusal('token_revoked', 'unauthorized', answer, target);
  const isLegacy = /legacy personal access tokens is disabled/i.test(words);
  const problem = isLegacy ? 'legacy_rotation_disabled' : 'rotation_refused';
  return refusal('rotation_not_possible', problem, answer, target);
}

/**
 * The error for an answer. Its details contain numbers, our own codes and host names, never GitLab's texts: an
 * unknown server could repeat the token in them.
 */
export function refusal(
  code: SecuErrorCode,
  problem: GitlabProblem,
  answer: GitlabAnswer,
  target: RequestTarget,
): SecuError {
  const { status, retryAfterMs, requestId, location } = answer;
  return new SecuError(
    code,
    `${target.method} ${target.endpoint} at ${target.host} answered ${status} (${problem})`,
    {
      details: {
        problem,
        status,
        ...(retryAfterMs === null ? {} : { retryAfterMs }),
        ...(requestId === null ? {} : { gitlabRequestId: requestId }),
        ...(location === null ? {} : { redirectedTo: location.host }),
        ...(location?.projectId === undefined ? {} : { projectId: location.projectId }),
      },
    },
  );
}

/** Reads an answer. `body` is the parsed JSON, or `undefined` if there was none. */
export function answerOf(input: {
  status: number;
  headers: Headers;
  bodyKind: GitlabAnswer['bodyKind'];
  body: unknown;
  base: URL;
  nowMs: number;
}): GitlabAnswer {
  const { status, headers, bodyKind, base, nowMs } = input;
  const fields = isRecord(input.body) ? input.body : {};
  const requestId = headers.get('x-request-id');
  return {
    status,
    bodyKind,
    error: textOf(fields['error']),
    errorDescription: textOf(fields['error_description']),
    message: textOf(fields['message']),
    retryAfterMs: retryAfterOf({ headers, nowMs }),
    requestId: requestId !== null && /^[0-9A-Za-z]{26}$|^[0-9a-f-]{36}$/.test(requestId) ? requestId : null,
    location: locationOf({ headers, base }),
    isChallenge: headers.get('cf-mitigated') === 'challenge',
  };
}

/**
 * How long to wait, in ms: `Retry-After` in seconds or as a date, else `RateLimit-Reset` (Unix seconds); 1 s to 15
 * min.
 */
function retryAfterOf({ headers, nowMs }: { headers: Headers; nowMs: number }): number | null {
  const after = headers.get('retry-after')?.trim();
  const reset = headers.get('ratelimit-reset')?.trim();
  let waitMs = Number.NaN;
  if (after !== undefined && /^\d+$/.test(after)) waitMs = Number(after) * 1_000;
  else if (after !== undefined) waitMs = Date.parse(after) - nowMs;
  if (Number.isNaN(waitMs) && reset !== undefined && /^\d+$/.test(reset))
    waitMs = Number(reset) * 1_000 - nowMs;
  return Number.isNaN(waitMs) ? null : Math.min(MAX_PAUSE_MS, Math.max(1_000, waitMs));
}

function locationOf({ headers, base }: { headers: Headers; base: URL }): GitlabAnswer['location'] {
  const location = headers.get('location');
  const url = location === null ? null : URL.parse(location, base.href);
  if (url === null) return null;
  const found = { host: url.host, pathname: url.pathname, points: pointsTo(url, base) };
  const project = /\/api\/v4\/projects\/(\d{1,15})$/.exec(url.pathname);
  return project === null ? found : { ...found, projectId: Number(project[1]) };
}

function pointsTo(url: URL, base: URL): 'to_https' | 'to_www' | 'elsewhere' {
  const bare = ({ hostname }: URL) => hostname.replace(/^www\./, '');
  if (bare(url) !== bare(base)) return 'elsewhere';
  if (url.hostname !== base.hostname) return 'to_www';
  return base.protocol === 'http:' && url.protocol === 'https:' ? 'to_https' : 'elsewhere';
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
