import type { ReachabilityCause } from '../domain/causes.ts';
import { REACHABILITY_CAUSES } from '../domain/causes.ts';
import type { SecuError, SecuErrorCode } from '../domain/errors.ts';
import { isSecuError } from '../domain/errors.ts';
import type { TokenFacts, TokenOwner } from '../domain/integration.ts';
import type { ListObservation, SelfObservation } from '../domain/verification.ts';

const UNKNOWN_OWNER: TokenOwner = { username: null, kind: 'unknown' };

/** Calls that the observations are made of; each throws SecuError. */
export interface Questions {
  self(): Promise<Omit<TokenFacts, 'owner'>>;
  user(): Promise<TokenOwner>;
}

/**
 * What GitLab says of the token, with its owner where the token may ask. Whatever goes wrong on the way is an
 * observation too; only a cancelled call and our own mistakes are thrown.
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

/** No such route on what may be a GitLab: older than 15.5, or none at all. A second request decides. */
async function observeOldGitlab(ask: Questions): Promise<SelfObservation> {
  try {
    await ask.user();
    return { kind: 'not_gitlab' };
  } catch (err) {
    if (!isSecuError(err)) throw err;
    return err.code === 'token_scope_missing' ? { kind: 'not_gitlab' } : selfRefusal(err);
  }
}

/** An owner that cannot be read is no reason to doubt the token. */
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

/** What the refusal of a listing means for the proof that the token can list. */
export function listRefusal(err: SecuError): ListObservation {
  return LIST_REFUSALS[err.code] ?? { kind: 'no_answer', cause: reachabilityCauseOf(err) };
}

/** An error without a cause of its own, such as an address that settings no longer allow, means: not reached. */
function reachabilityCauseOf(err: SecuError): ReachabilityCause {
  return REACHABILITY_CAUSES.find((cause) => cause === err.code) ?? 'gitlab_unreachable';
}

function isMissingRoute(err: SecuError): boolean {
  return err.details['problem'] === 'unknown_route' || err.details['problem'] === 'too_old';
}
