import type { InvalidCause, ReachabilityCause } from './causes.ts';
import type { EventKind } from './event.ts';
import type {
  ReachabilityState,
  TokenFacts,
  TokenWarning,
  Verdict,
  VerificationOutcome,
} from './integration.ts';
import { retryDelayMs } from './verification.ts';

/** The part of an integration that a verification may change. */
export interface VerdictState {
  verdict: Verdict;
  cause: InvalidCause | null;
  reachability: ReachabilityState;
  reachabilityCause: ReachabilityCause | null;
  suspected: boolean;
  verifyFailures: number;
}

export interface VerdictChange {
  next: VerdictState;
  warnings: TokenWarning[] | null;
  token: TokenFacts | null;
  /** Verify again after this many ms; `null` = background verification is off. */
  againInMs: number | null;
  /** The first refusal of an active token: verify once more before believing it. */
  suspicion: boolean;
  event: EventKind | null;
}

const CONFIRM_REFUSAL_AFTER_MS = 20_000;
const CAUSES_TO_CONFIRM: ReadonlySet<InvalidCause> = new Set([
  'token_expired',
  'token_revoked',
  'token_rejected',
]);

/** Causes that do not prove that GitLab is reachable. */
const NO_PROOF_OF_REACHABILITY: ReadonlySet<InvalidCause> = new Set(['not_gitlab', 'token_missing']);

/**
 * Applies the outcome of a verification to an integration. An outage never changes the verdict; `not_gitlab` makes
 * only a pending integration invalid; a 401 for an active token must be confirmed by a second verification.
 */
export function verdictChange(input: {
  before: VerdictState;
  outcome: VerificationOutcome;
  intervalMs: number;
  jitter: number;
}): VerdictChange {
  const { before, outcome } = input;
  if (outcome.verdict === 'active') return becomeActive(input, outcome);
  if (outcome.verdict === 'none') return becomeUnreachable(input, outcome.cause);
  if (outcome.cause === 'not_gitlab' && before.verdict !== 'pending')
    return becomeUnreachable(input, 'not_gitlab');
  if (before.verdict === 'active' && !before.suspected && CAUSES_TO_CONFIRM.has(outcome.cause)) {
    return {
      next: { ...before, suspected: true },
      warnings: null,
      token: null,
      againInMs: CONFIRM_REFUSAL_AFTER_MS,
      suspicion: true,
      event: null,
    };
  }
  return becomeInvalid(input, outcome.cause);
}

type Input = Parameters<typeof verdictChange>[0];

function becomeActive(
  { before, intervalMs, jitter }: Input,
  outcome: VerificationOutcome & { verdict: 'active' },
): VerdictChange {
  const changed = before.verdict !== 'active';
  const recovered = before.reachability === 'unreachable';
  return {
    next: {
      verdict: 'active',
      cause: null,
      reachability: 'reachable',
      reachabilityCause: null,
      suspected: false,
      verifyFailures: 0,
    },
    warnings: outcome.warnings,
    token: outcome.token,
    againInMs: spread({ intervalMs, jitter }),
    suspicion: false,
    event: changed ? 'integration.verified' : recovered ? 'integration.recovered' : null,
  };
}

function becomeInvalid({ before, intervalMs, jitter }: Input, observed: InvalidCause): VerdictChange {
  // after a lost rotation the old token is refused: that is expected, and not a new cause
  const cause =
    before.cause === 'rotation_lost' && CAUSES_TO_CONFIRM.has(observed) ? 'rotation_lost' : observed;
  const changed = before.verdict !== 'invalid' || before.cause !== cause;
  return {
    next: {
      verdict: 'invalid',
      cause,
      reachability: NO_PROOF_OF_REACHABILITY.has(cause) ? before.reachability : 'reachable',
      reachabilityCause: null,
      suspected: false,
      verifyFailures: 0,
    },
    warnings: null,
    token: null,
    againInMs: spread({ intervalMs, jitter }),
    suspicion: false,
    event: changed ? 'integration.invalid' : null,
  };
}

function becomeUnreachable({ before, jitter }: Input, cause: ReachabilityCause): VerdictChange {
  const failures = before.verifyFailures + 1;
  const changed = before.reachability !== 'unreachable' || before.reachabilityCause !== cause;
  return {
    next: { ...before, reachability: 'unreachable', reachabilityCause: cause, verifyFailures: failures },
    warnings: null,
    token: null,
    againInMs: retryDelayMs({ failures, jitter }),
    suspicion: false,
    event: changed ? 'integration.unreachable' : null,
  };
}

function spread({ intervalMs, jitter }: { intervalMs: number; jitter: number }): number | null {
  return intervalMs === 0 ? null : Math.round(intervalMs * (0.95 + 0.1 * jitter));
}
