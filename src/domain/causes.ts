interface CauseText {
  /** A few words in lower case, as in `Scan failed: clone timed out`. The dashboard and the API show this title. */
  title: string;
  /** What to do about it: one or two sentences, shown with the cause everywhere. */
  advice: string;
}

interface InvalidCauseText extends CauseText {
  /** GitLab refused the token itself; false where the answer may concern one repository or the address. */
  refusesToken: boolean;
  /** The token stopped working before its expiry date, so its remaining days mean nothing. */
  endsToken: boolean;
}

/**
 * Why an integration is invalid: GitLab gave a definite "no". Everything else about such a cause derives from this
 * table: HTTP 422 (`src/api/errors.ts`), no retry (`src/temporal/activity-failure.ts`), the API schema and the docs.
 */
const INVALID_CAUSE_TEXTS = {
  token_expired: {
    title: 'token expired',
    refusesToken: true,
    endsToken: false,
    advice:
      'The token has expired. Create a new one with read_api and read_repository in GitLab and replace it here; existing findings are kept.',
  },
  token_revoked: {
    title: 'token revoked',
    refusesToken: true,
    endsToken: true,
    advice:
      'The token was revoked in GitLab. Create a new one with read_api and read_repository and replace it here.',
  },
  token_rejected: {
    title: 'unknown token',
    refusesToken: true,
    endsToken: true,
    advice:
      'GitLab does not know this token. Check that you copied all of it and that it belongs to this GitLab address, then replace it here.',
  },
  token_scope_missing: {
    title: 'token scope missing',
    refusesToken: true,
    endsToken: false,
    advice:
      'The token lacks a permission. Create one with the scopes read_api and read_repository and replace it here.',
  },
  token_wrong_kind: {
    title: 'wrong kind of token',
    refusesToken: true,
    endsToken: false,
    advice:
      'This kind of token cannot call the API. Create a personal, group, project or service account access token with read_api and read_repository.',
  },
  account_blocked: {
    title: 'account blocked',
    refusesToken: true,
    endsToken: false,
    advice:
      'The account that owns the token is blocked, unconfirmed or has not accepted the terms. Ask a GitLab administrator to restore it, then verify again.',
  },
  sso_session_required: {
    title: 'single sign-on required',
    refusesToken: false,
    endsToken: false,
    advice:
      'The group requires single sign-on for Git. Use a token of a group service account, which is exempt, or sign in to the group in GitLab and verify again.',
  },
  not_gitlab: {
    title: 'not a GitLab API',
    refusesToken: false,
    endsToken: false,
    advice:
      'The address does not answer as GitLab 15.5 or newer. Check the base URL, including a sub-path, and any proxy or sign-in page in front of it.',
  },
  token_missing: {
    title: 'token missing',
    refusesToken: false,
    endsToken: true,
    advice:
      'Secu no longer has the token of this integration. Create a new one with read_api and read_repository in GitLab and replace it here.',
  },
  rotation_lost: {
    title: 'new token lost',
    refusesToken: false,
    endsToken: true,
    advice:
      'GitLab created a new token, but its answer did not arrive. Revoke the newest token of this name in GitLab, create another one and replace it here.',
  },
} as const satisfies Record<string, InvalidCauseText>;
export type InvalidCause = keyof typeof INVALID_CAUSE_TEXTS;
export const INVALID_CAUSES = keysOf(INVALID_CAUSE_TEXTS);

/** True for a code that says that GitLab refused the token itself. */
export function isTokenRefusalCode(code: string): boolean {
  return isInvalidCause(code) && INVALID_CAUSE_TEXTS[code].refusesToken;
}

/** True for a cause that ends a token before its expiry date. */
export function isTokenEndingCause(code: string): boolean {
  return isInvalidCause(code) && INVALID_CAUSE_TEXTS[code].endsToken;
}

function isInvalidCause(code: string): code is InvalidCause {
  return Object.hasOwn(INVALID_CAUSE_TEXTS, code);
}

/** Why GitLab could not be reached, or why its answer is unusable. Never a verdict on the token. */
const REACHABILITY_CAUSE_TEXTS = {
  gitlab_unreachable: {
    title: 'GitLab unreachable',
    advice:
      'GitLab could not be reached. Secu retries automatically; check the address, DNS and the network between Secu and GitLab.',
  },
  gitlab_tls_failed: {
    title: 'TLS certificate not trusted',
    advice:
      'The TLS certificate of GitLab could not be verified. If a private CA signed it, add its root certificate with SECU_CA_FILE.',
  },
  gitlab_redirected: {
    title: 'unexpected redirect',
    advice:
      'GitLab answered with a redirect. Secu never sends a token to a redirect target; use that address as the base URL.',
  },
  gitlab_rate_limited: {
    title: 'rate limited by GitLab',
    advice: 'GitLab limits the request rate. Secu waits and continues automatically.',
  },
  gitlab_reply_unreadable: {
    title: 'unreadable answer from GitLab',
    advice:
      'GitLab sent an answer that cannot be read. Secu retries automatically; if it persists, check for a proxy in between.',
  },
  not_gitlab: INVALID_CAUSE_TEXTS.not_gitlab,
} as const satisfies Record<string, CauseText>;
export type ReachabilityCause = keyof typeof REACHABILITY_CAUSE_TEXTS;
export const REACHABILITY_CAUSES = keysOf(REACHABILITY_CAUSE_TEXTS);

/** True for a code that means an outage of GitLab as a whole, not of one repository. */
export function isReachabilityCause(code: string): code is ReachabilityCause {
  return Object.hasOwn(REACHABILITY_CAUSE_TEXTS, code);
}

/** Why a scan failed, was canceled or waits. The findings of the last successful scan stay in every case. */
const SCAN_CAUSE_TEXTS = {
  repository_gone: {
    title: 'repository not found',
    advice: 'The repository is no longer in GitLab. If GitLab lists it again, it comes back automatically.',
  },
  repository_forbidden: {
    title: 'access denied',
    advice: 'GitLab does not let the token read it. Give the token owner at least the Reporter role there.',
  },
  repository_redirected: {
    title: 'unexpected redirect',
    advice:
      'Git requests for this repository are redirected, and Secu never sends a token to a redirect target. Sync again if it was moved or renamed.',
  },
  head_unresolved: {
    title: 'default branch not found',
    advice:
      'GitLab lists a default branch that the repository does not have. Set an existing branch as the default branch in GitLab.',
  },
  object_malformed: {
    title: 'malformed git object',
    advice:
      'The repository holds a git object that cannot be read safely. Run git fsck on it; the scan details name the problem.',
  },
  too_many_files: {
    title: 'too many files',
    advice:
      'The commit has more paths than Secu reads. Exclude the repository if it is not meant to be scanned.',
  },
  gateway_failed: {
    title: 'gateway error',
    advice:
      'GitLab answers Git requests for this repository with a gateway error again and again. Check the repository and the Gitaly logs in GitLab.',
  },
  clone_failed: {
    title: 'clone failed',
    advice:
      'Git could not clone the repository. Scan again; if it keeps failing, check the log of the scan worker.',
  },
  clone_too_large: {
    title: 'repository too large',
    advice:
      'The clone needs more disk or memory than the limit. Raise SECU_CLONE_MAX_BYTES, which raises both limits, or exclude the repository.',
  },
  clone_timed_out: {
    title: 'clone timed out',
    advice: 'The clone took longer than the limit. Raise SECU_CLONE_TIMEOUT, or exclude the repository.',
  },
  scan_timed_out: {
    title: 'scan timed out',
    advice: 'The scan took longer than the limit. Raise SECU_SCAN_TIMEOUT, or exclude the repository.',
  },
  scanner_crashed: {
    title: 'scanner failed',
    advice: 'The repository does not count as clean. Scan again; if it fails twice, report the scan id.',
  },
  disk_low: {
    title: 'disk almost full',
    advice:
      'No clone starts until there is space again. Free space in SECU_HOME, or lower SECU_DISK_RESERVE.',
  },
  canceled: {
    title: 'canceled',
    advice: 'The scan was canceled. Scan again when you want a result.',
  },
} as const satisfies Record<string, CauseText>;
export type ScanCause = keyof typeof SCAN_CAUSE_TEXTS;
export const SCAN_CAUSES = keysOf(SCAN_CAUSE_TEXTS);

export type Cause = InvalidCause | ReachabilityCause | ScanCause;
export const CAUSE_TEXTS: Readonly<Record<Cause, CauseText>> = {
  ...INVALID_CAUSE_TEXTS,
  ...REACHABILITY_CAUSE_TEXTS,
  ...SCAN_CAUSE_TEXTS,
};

/** The advice of a cause; `null` for none. */
export function adviceFor(cause: Cause | null): string | null {
  return cause === null ? null : CAUSE_TEXTS[cause].advice;
}

/** The keys of a table as a non-empty tuple, as `z.enum` wants them. */
function keysOf<T extends object>(table: T): [keyof T & string, ...(keyof T & string)[]] {
  return Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];
}
