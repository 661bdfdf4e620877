import type { Step } from './dry-run.ts';
import type { DryRunCause } from './dry-run-causes.ts';
import { DRY_RUN_CAUSES } from './dry-run-causes.ts';
import type { SecuError, SecuErrorCode } from './errors.ts';
import { isSecuError } from './errors.ts';

/** Problems (`details.problem` of an error) whose cause has another name. */
const API_PROBLEMS: Record<string, DryRunCause> = {
  address_refused: 'address_not_allowed',
  timeout: 'no_answer_in_time',
  connection_failed: 'connection_reset',
  unknown_route: 'wrong_path',
  too_old: 'gitlab_too_old',
  unexpected_sign_in: 'basic_sign_in_in_front',
  forbidden: 'address_blocked',
  scope: 'scope_missing_list',
  granular_scope: 'permission_missing_list',
  wrong_kind: 'token_wrong_kind',
};

const API_CODES: Partial<Record<SecuErrorCode, DryRunCause>> = {
  origin_not_allowed: 'origin_not_allowed',
  not_gitlab: 'page_instead_of_api',
  token_scope_missing: 'scope_missing_list',
  gitlab_unreachable: 'connection_reset',
  gitlab_tls_failed: 'tls_handshake_failed',
  gitlab_redirected: 'redirected_elsewhere',
};

const GIT_PROBLEMS: Record<string, DryRunCause> = {
  scope_without_code: 'scope_missing_clone',
  fine_grained_required: 'fine_grained_required',
  http_off: 'git_over_http_off',
};

const GIT_CODES: Partial<Record<SecuErrorCode, DryRunCause>> = {
  gitlab_unreachable: 'git_unreachable',
  gitlab_reply_unreadable: 'git_unreachable',
  not_gitlab: 'git_unreachable',
  gitlab_tls_failed: 'git_unreachable',
  gitlab_redirected: 'git_redirected',
  gitlab_rate_limited: 'git_rate_limited',
  account_blocked: 'account_blocked',
  sso_session_required: 'sso_session_required',
};

/**
 * The most specific cause for a refusal. `details.problem` and `details.status` of the error say which 5xx or
 * which missing permission it was.
 */
export function causeOfRefusal(err: SecuError, via: 'api' | 'git'): DryRunCause {
  const { problem, status } = err.details;
  const named = typeof problem === 'string' ? problem : '';
  if (via === 'git') return GIT_PROBLEMS[named] ?? GIT_CODES[err.code] ?? 'clone_not_proven';
  if (named === 'server_error') return serverErrorOf(status);
  return (
    API_PROBLEMS[named] ??
    knownCause(named) ??
    API_CODES[err.code] ??
    knownCause(err.code) ??
    'gitlab_reply_unreadable'
  );
}

function serverErrorOf(status: unknown): DryRunCause {
  if (status === 503) return 'gitlab_maintenance';
  return status === 502 || status === 504 ? 'gitlab_gateway_error' : 'gitlab_server_error';
}

function knownCause(text: string): DryRunCause | undefined {
  return Object.hasOwn(DRY_RUN_CAUSES, text) ? (text as DryRunCause) : undefined;
}

/** Runs one step of a dry run. @throws errors that are not a SecuError */
export async function stepOf(
  work: () => Promise<string | null>,
  { signal, via = 'api' }: { signal: AbortSignal; via?: 'api' | 'git' },
): Promise<Step> {
  try {
    return { kind: 'ok', detail: await work() };
  } catch (err) {
    if (signal.aborted) return { kind: 'refused', cause: 'no_answer_in_time', detail: null };
    if (!isSecuError(err)) throw err;
    return { kind: 'refused', cause: causeOfRefusal(err, via), detail: err.message };
  }
}
