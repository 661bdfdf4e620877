import type { RemoteErrorCode } from '../domain/ports.ts';

export interface Refusal {
  code: RemoteErrorCode;
  /** A fixed name of ours, or the name of a fault from git-fsck(1). */
  problem: string;
}

/**
 * Known texts of git and GitLab; the first match counts. They are in English, because git runs with `LC_ALL=C`.
 * @see GitLab source, `lib/gitlab/git_access.rb`, `lib/gitlab/auth.rb`; git, `remote-curl.c`, `http.c`
 */
const KNOWN: ReadonlyArray<readonly [RegExp, RemoteErrorCode, string]> = [
  [/File too large|died of signal 25/, 'clone_too_large', 'file_limit'],
  [
    /[Oo]ut of memory|Cannot allocate memory|mmap failed|cannot be mapped|died of signal (?:6|9|24)\b/,
    'clone_too_large',
    'memory_limit',
  ],
  [/Too many failed authentication attempts/, 'gitlab_rate_limited', 'address_banned'],
  [/^remote: Retry later|returned error: 429|HTTP 429/m, 'gitlab_rate_limited', 'throttled'],
  [/unable to handle this request due to load/, 'gitlab_rate_limited', 'busy'],
  [/Cannot find valid SSO session/, 'sso_session_required', 'sso_session_required'],
  [/requires a fine-grained/, 'token_scope_missing', 'fine_grained_required'],
  [/^remote: You are not allowed to download code\.\s*$/m, 'token_scope_missing', 'scope_without_code'],
  [/not allowed to download code from this project/, 'repository_forbidden', 'role_too_low'],
  [
    /Git access over HTTP is not allowed|Pulling over HTTP is not allowed/,
    'repository_forbidden',
    'http_off',
  ],
  [
    /account (?:has been|is) (?:blocked|banned|deactivated|pending|not|locked)|accept the Terms of Service/,
    'account_blocked',
    'account_blocked',
  ],
  [
    /HTTP Basic: Access denied|could not read (?:Username|Password)|Authentication failed|returned error: 401|HTTP 401/,
    'token_rejected',
    'refused',
  ],
  [/could not be found or you don't have permission/, 'repository_gone', 'not_found'],
  [/^fatal: repository '.*' not found|returned error: 404|HTTP 404/m, 'repository_gone', 'not_found'],
  [
    /unable to update url base from redirection|returned error: 30\d|HTTP 30\d/,
    'gitlab_redirected',
    'redirected',
  ],
  [
    /SSL certificate|certificate verif|SSL: |SSL_|gnutls|[Cc]ertificate has expired|issuer certificate|CAfile/,
    'gitlab_tls_failed',
    'tls',
  ],
  [/returned error: 5\d\d|HTTP 5\d\d/, 'gitlab_unreachable', 'server_error'],
  [/unable to access '.*': (?!The requested URL returned error)/, 'gitlab_unreachable', 'network'],
  [/not valid: is this a git repository/, 'clone_failed', 'not_git'],
  [/error: .*(?:hasDot|fsck)|fsck error|malformed object/, 'object_malformed', 'malformed_objects'],
  [/RPC failed|early EOF|unexpected disconnect|the remote end hung up/, 'clone_failed', 'broken_off'],
  [/No space left on device|Disk quota exceeded/, 'clone_failed', 'no_space'],
  [/transport '.*' not allowed/, 'clone_failed', 'protocol_refused'],
  [/couldn't find remote ref refs\/heads\//, 'head_unresolved', 'no_branch'],
  [/couldn't find remote ref |Remote branch .* not found/, 'head_unresolved', 'no_head'],
  [/mismatched algorithms/, 'clone_failed', 'other_object_names'],
];

/**
 * Maps git's standard error to the cause of a failed call; an unknown text is `clone_failed`. The text is not
 * passed on.
 */
export function refusalOf(stderr: string): Refusal {
  const found = KNOWN.find(([pattern]) => pattern.test(stderr));
  if (found === undefined) return { code: 'clone_failed', problem: 'unknown' };
  const [, code, problem] = found;
  return { code, problem: code === 'object_malformed' ? (faultOf(stderr) ?? problem) : problem };
}

/** The fault that git's check of objects names, such as `hasDotgit`. @see git-fsck(1), "FSCK MESSAGES" */
function faultOf(stderr: string): string | null {
  return /object [0-9a-f]{40,64}: ([a-z][A-Za-z0-9]{2,40}): /.exec(stderr)?.[1] ?? null;
}

/** GitLab's answer for a project whose repository was never created, which counts as empty. */
export function reportsNoRepository(stderr: string): boolean {
  return /A repository for this project does not exist yet/.test(stderr);
}
