import type { ReachabilityCause } from '../domain/causes.ts';
import { REACHABILITY_CAUSES } from '../domain/causes.ts';
import type { SecuError, SecuErrorCode } from '../domain/errors.ts';
import { isSecuError } from '../domain/errors.ts';
import type { TokenFacts, TokenOwner } from '../domain/integration.ts';
import type { ListObservation, SelfObservation } from '../domain/verification.ts';

const UNKNOWN_OWNER: TokenOwner = { username: null, kind: 'unknown' };

/** The calls that an observation needs. Each throws SecuError. */
export interface Questions {
  self(): Promise<Omit<TokenFacts, 'owner'>>;
  user(): Promise<TokenOwner>;
}

/**
 * Observes the token, with its owner if the token may read it. Failures of GitLab are observations; only
 * cancellations and internal errors are thrown.
 */
export async function observeSelf(ask: Questions): Promise<SelfObservation> {
  try {
    const token = await ask.self();
    return { kind: 'token', token: { ...token, owner: await ownerOf(ask) } };
  } catch (err) {
    if (!isSecuError(err)) throw err;
    return err.code === 'not_gitlab' && isMissingRoute(err) ? observeOldGitlab(ask) : selfRefusal(err);
  }
}

/** Handles a missing route: a GitLab older than 15.5, or no GitLab. A second request decides. */
async function observeOldGitlab(ask: Questions): Promise<SelfObservation> {
  try {
    await ask.user();
    return { kind: 'not_gitlab' };
  } catch (err) {
    if (!isSecuError(err)) throw err;
    return err.code === 'token_scope_missing' ? { kind: 'not_gitlab' } : selfRefusal(err);
  }
}

/** Reads the owner. A failure does not make the token doubtful. */
export async function ownerOf(ask: Questions): Promise<TokenOwner> {
  try {
    return await ask.user();
  } catch (err) {
    if (isSecuError(err)) return UNKNOWN_OWNER;
    throw err;
  }
}

const SELF_REFUSALS: Partial<Record<SecuErrorCode, SelfObservation>> = {
  token_expired: { kind: 'unauthorized', reason: 'expired' },
  token_revoked: { kind: 'unauthorized', reason: 'revoked' },
  token_rejected: { kind: 'unauthorized', reason: 'unknown' },
  token_scope_missing: { kind: 'scope_missing' },
  token_wrong_kind: { kind: 'wrong_kind' },
  account_blocked: { kind: 'blocked' },
  not_gitlab: { kind: 'not_gitlab' },
};

function selfRefusal(err: SecuError): SelfObservation {
  if (err.details['problem'] === 'granular_scope') return { kind: 'self_unreadable' };
  return SELF_REFUSALS[err.code] ?? { kind: 'no_answer', cause: reachabilityCauseOf(err) };
}

const LIST_REFUSALS: Partial<Record<SecuErrorCode, ListObservation>> = {
  token_expired: { kind: 'unauthorized' },
  token_revoked: { kind: 'unauthorized' },
  token_rejected: { kind: 'unauthorized' },
  token_scope_missing: { kind: 'scope_missing' },
};

/** The proof that the token can list, from the error of a listing. */
export function listRefusal(err: SecuError): ListObservation {
  return LIST_REFUSALS[err.code] ?? { kind: 'no_answer', cause: reachabilityCauseOf(err) };
}

/**
 * The reachability cause. An error without one, such as an address that settings no longer allow, means
 * unreachable.
 */
function reachabilityCauseOf(err: SecuError): ReachabilityCause {
  return REACHABILITY_CAUSES.find((cause) => cause === err.code) ?? 'gitlab_unreachable';
}

function isMissingRoute(err: SecuError): boolean {
  return err.details['problem'] === 'unknown_route' || err.details['problem'] === 'too_old';
}
