import type { InvalidCause, ReachabilityCause } from './causes.ts';
import type { WrongKindCause } from './dry-run-causes.ts';
import type { TokenFacts, TokenWarning, VerificationOutcome } from './integration.ts';

/** The answer to `GET /personal_access_tokens/self`, classified. */
export type SelfObservation =
  | { kind: 'token'; token: TokenFacts }
  | { kind: 'unauthorized'; reason: 'expired' | 'revoked' | 'unknown' }
  | { kind: 'self_unreadable' } // 403 insufficient_granular_scope: valid, but may not read itself
  | { kind: 'blocked' }
  | { kind: 'scope_missing' }
  | { kind: 'wrong_kind' } // 400/405: not a personal access token
  | { kind: 'not_gitlab' }
  | { kind: 'no_answer'; cause: ReachabilityCause };

/** The answer to listing one page: the proof that the token can list. */
export type ListObservation =
  | { kind: 'listed'; repositories: number }
  | { kind: 'scope_missing' }
  | { kind: 'unauthorized' }
  | { kind: 'no_answer'; cause: ReachabilityCause }
  | { kind: 'not_tried' };

/**
 * The answers to `git ls-remote` of a few listed repositories: the proof that the token can clone. One readable
 * repository is the proof; one that fails alone says nothing about the token or about GitLab.
 */
export type CloneObservation =
  | { kind: 'readable' }
  | { kind: 'scope_missing' }
  | { kind: 'sso_session_required' }
  /** Several repositories, and git answered for none of them. */
  | { kind: 'no_answer'; cause: ReachabilityCause }
  /** Git answered for each repository that was tried, and refused it. */
  | { kind: 'all_refused' }
  /** No listed repository could be read, or there is too little evidence. */
  | { kind: 'not_tried' };

export interface TokenObservations {
  self: SelfObservation;
  list: ListObservation;
  clone: CloneObservation;
  /** Set when the token's documented prefix names a kind that cannot call the API. */
  prefixKind: WrongKindCause | null;
}

const LISTING_SCOPES = new Set(['api', 'read_api']);
const ROTATING_SCOPES = new Set(['api', 'self_rotate']);
const OVERPOWERED_SCOPE = /^(api|sudo|admin_mode|write_.*|create_runner|manage_runner|k8s_proxy)$/;

/**
 * The verdict from what was observed. Only a definite "no" makes a token invalid: an outage, a rate limit or an
 * unreadable answer gives no verdict. A valid token must also list and clone to be usable.
 */
export function verdictOf(observed: TokenObservations): VerificationOutcome {
  const { self } = observed;
  switch (self.kind) {
    case 'no_answer':
      return { verdict: 'none', cause: self.cause };
    case 'not_gitlab':
      return invalid('not_gitlab');
    case 'blocked':
      return invalid('account_blocked');
    case 'wrong_kind':
      return invalid('token_wrong_kind');
    case 'unauthorized':
      return invalid(refusalCause(self.reason, observed.prefixKind));
    case 'scope_missing':
      return invalid('token_scope_missing');
    case 'self_unreadable':
      return verdictOfUse(observed, UNREADABLE_TOKEN);
    case 'token':
      return verdictOfUse(observed, self.token);
  }
}

/** A fine-grained token that may not read itself: it works, and nothing else is known about it. */
export const UNREADABLE_TOKEN: TokenFacts = {
  gitlabTokenId: null,
  name: null,
  scopes: ['granular'],
  granular: true,
  mayRotate: null,
  expiry: { kind: 'unknown' },
  createdAt: null,
  lastUsedAt: null,
  owner: { username: null, kind: 'unknown' },
};

function verdictOfUse({ list, clone }: TokenObservations, token: TokenFacts): VerificationOutcome {
  if (list.kind === 'scope_missing') return invalid('token_scope_missing', token);
  if (list.kind === 'unauthorized') return invalid('token_rejected', token);
  if (list.kind === 'no_answer') return { verdict: 'none', cause: list.cause };
  if (list.kind === 'not_tried') return { verdict: 'none', cause: 'gitlab_unreachable' };
  if (clone.kind === 'scope_missing') return invalid('token_scope_missing', token);
  if (clone.kind === 'sso_session_required') return invalid('sso_session_required', token);
  if (clone.kind === 'no_answer') return { verdict: 'none', cause: clone.cause };
  const warnings = warningsOf({ token, listed: list.repositories });
  return {
    verdict: 'active',
    token,
    warnings: clone.kind === 'all_refused' ? [...warnings, 'nothing_clonable'] : warnings,
  };
}

function refusalCause(
  reason: 'expired' | 'revoked' | 'unknown',
  prefixKind: WrongKindCause | null,
): InvalidCause {
  if (reason === 'expired') return 'token_expired';
  if (reason === 'revoked') return 'token_revoked';
  return prefixKind === null ? 'token_rejected' : 'token_wrong_kind';
}

function warningsOf({ token, listed }: { token: TokenFacts; listed: number }): TokenWarning[] {
  const warnings: TokenWarning[] = [];
  if (overpoweredScopes(token.scopes).length > 0) warnings.push('token_overprivileged');
  if (token.owner.kind === 'user') warnings.push('token_of_a_person');
  if (listed === 0) warnings.push('no_repositories');
  return warnings;
}

/** Only for classic scopes: the permissions of a fine-grained token show only when they are used. */
export function canList(scopes: readonly string[]): boolean {
  return scopes.some((scope) => LISTING_SCOPES.has(scope));
}

/** Source: GitLab docs, "Rotate a personal access token" (`self_rotate` since 17.9). */
export function canRotate(scopes: readonly string[]): boolean {
  return scopes.some((scope) => ROTATING_SCOPES.has(scope));
}

/** Scopes that Secu does not need and that an attacker could abuse. */
export function overpoweredScopes(scopes: readonly string[]): string[] {
  return scopes.filter((scope) => OVERPOWERED_SCOPE.test(scope));
}

function invalid(cause: InvalidCause, token: TokenFacts | null = null): VerificationOutcome {
  return { verdict: 'invalid', cause, token };
}

const FIRST_RETRY_MS = 15_000;
const STEADY_RETRIES = 5;
const MAX_RETRY_MS = 600_000;

/**
 * The delay before the next verification while there is no verdict: 15 s for the first five, so that a short outage
 * is noticed as over within 30 s, then doubling to 10 minutes. `jitter` is 0–1 and changes the delay by up to a tenth,
 * so that integrations of one GitLab do not verify at the same time.
 */
export function retryDelayMs({ failures, jitter }: { failures: number; jitter: number }): number {
  const doublings = Math.max(0, failures - STEADY_RETRIES);
  const baseMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** doublings);
  return Math.round(baseMs * (0.9 + 0.2 * jitter));
}

/** A number from 0 to 1 that is always the same for a text, so the jitter of an integration is stable. */
export function jitterOf(text: string): number {
  let hash = 2_166_136_261;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619);
  return (hash >>> 0) / 2 ** 32;
}

/**
 * Documented prefixes of tokens that cannot call the API (GitLab docs, "Token overview"; data in the simulator).
 */
const WRONG_KINDS: ReadonlyArray<readonly [RegExp, WrongKindCause]> = [
  [/(^|-)gldt-/, 'token_is_deploy_token'],
  [/(^|-)glcbt-/, 'token_is_job_token'],
  [/(^|-)glrtr?-/, 'token_is_runner_token'],
  [/(^|-)glptt-/, 'token_is_trigger_token'],
  [/(^|-)glft-/, 'token_is_feed_token'],
  [/(^|-)glimt-/, 'token_is_incoming_mail_token'],
  [/(^|-)glagent-/, 'token_is_agent_token'],
  [/(^|-)glwt-/, 'token_is_workspace_token'],
  [/(^|-)glsoat-/, 'token_is_scim_token'],
  [/(^|-)glffct-/, 'token_is_feature_flags_token'],
  [/(^|-)gloas-/, 'token_is_oauth_secret'],
];

/**
 * The kind of token that its prefix names, when that kind cannot call the API; else `null`. A hint, not a verdict.
 */
export function wrongKindByPrefix(token: string): WrongKindCause | null {
  return WRONG_KINDS.find(([pattern]) => pattern.test(token))?.[1] ?? null;
}
