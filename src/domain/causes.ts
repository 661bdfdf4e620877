/** Why an integration is invalid: GitLab gave a definite "no". */
export const INVALID_CAUSES = [
  'token_expired',
  'token_revoked',
  'token_rejected',
  'token_scope_missing',
  'token_wrong_kind',
  'account_blocked',
  'sso_session_required',
  'not_gitlab',
  'rotation_lost',
] as const;
export type InvalidCause = (typeof INVALID_CAUSES)[number];

/** Why GitLab could not be asked, or its answer not be used: never a verdict on the token. */
export const REACHABILITY_CAUSES = [
  'gitlab_unreachable',
  'gitlab_tls_failed',
  'gitlab_redirected',
  'gitlab_rate_limited',
  'gitlab_reply_unreadable',
  'not_gitlab',
] as const;
export type ReachabilityCause = (typeof REACHABILITY_CAUSES)[number];

/** Why a scan failed, was canceled or waits. */
export const SCAN_CAUSES = [
  'repository_gone',
  'repository_forbidden',
  'clone_failed',
  'clone_too_large',
  'clone_timed_out',
  'scan_timed_out',
  'scanner_crashed',
  'disk_low',
  'canceled',
] as const;
export type ScanCause = (typeof SCAN_CAUSES)[number];

/** What a person should do about a cause: one or two sentences, shown beside it everywhere. */
export const ADVICE: Record<InvalidCause | ReachabilityCause, string> = {
  token_expired:
    'The token has expired. Create a new one with read_api and read_repository at GitLab and replace it here; nothing that was found is lost.',
  token_revoked:
    'The token was revoked at GitLab. Create a new one with read_api and read_repository and replace it here.',
  token_rejected:
    'GitLab does not know this token. Check that it was copied whole and belongs to this GitLab address, then replace it here.',
  token_scope_missing:
    'The token lacks a permission. Create one with the scopes read_api and read_repository and replace it here.',
  token_wrong_kind:
    'This kind of token cannot call the API. Create a personal, group or project access token, or one of a service account, with read_api and read_repository.',
  account_blocked:
    'The account that owns the token is blocked, not confirmed or has to accept terms. Ask a GitLab administrator to restore it, then verify again.',
  sso_session_required:
    'The group wants single sign-on for Git. Use a token of a group service account, which is exempt, or sign in to the group at GitLab and verify again.',
  not_gitlab:
    'The address does not answer as GitLab 15.5 or newer. Check the base URL, including a sub-path, and any proxy or sign-in page in front of it.',
  rotation_lost:
    'A new token was made at GitLab and its answer did not arrive. Revoke the newest token of this name at GitLab, create another and replace it here.',
  gitlab_unreachable:
    'GitLab could not be reached. Secu tries again by itself; check the address, DNS and the network between the two.',
  gitlab_tls_failed:
    'The TLS certificate of GitLab could not be verified. If a private CA signed it, name its root in SECU_CA_FILE.',
  gitlab_redirected:
    'GitLab answered with a redirect, which is never followed with a token. Use the address that it points to as base URL.',
  gitlab_rate_limited: 'GitLab asks us to slow down. Secu waits and goes on by itself.',
  gitlab_reply_unreadable:
    'GitLab gave an answer that cannot be read. Secu tries again by itself; if it stays so, look for a proxy in between.',
};
