import type { SecuError } from '../domain/errors.ts';
import { isSecuError } from '../domain/errors.ts';
import type { GitlabProblem } from '../domain/gitlab-problem.ts';
import type { TokenFacts } from '../domain/integration.ts';
import type { RotationBlock } from '../domain/rotation.ts';
import type { Secret } from '../domain/secret.ts';
import type { Call } from './requester.ts';
import { postOnce } from './requester.ts';
import { RotatedToken, RotatedTokenId } from './schemas.ts';

/** What is known after GitLab was asked to rotate a token. */
export type RotationAnswer =
  | { kind: 'rotated'; value: Secret; newTokenId: number; facts: Omit<TokenFacts, 'owner'> }
  /** GitLab said so: nothing was rotated. */
  | { kind: 'refused'; code: RotationBlock }
  /** Nothing was rotated; GitLab accepts an earlier date than this one. */
  | { kind: 'expiry_too_late'; mustBeBefore: string }
  /** It may have rotated. The old token must not be used for another rotation before its state at GitLab is known. */
  | { kind: 'in_doubt'; problem: string; newTokenId: number | null };

/** Longer than proxies in front of GitLab wait for it. Giving up too early would lose the new token. */
const ANSWER_MS = 120_000;

export async function rotateSelf(input: {
  call: Omit<Call, 'signal'>;
  bearer: string;
  expiresAt: string;
}): Promise<RotationAnswer> {
  const { rotationTimeoutMs = ANSWER_MS } = input.call;
  try {
    const body = await postOnce(
      { ...input.call, requestTimeoutMs: rotationTimeoutMs },
      {
        endpoint: 'personal_access_tokens/self/rotate',
        headers: { authorization: `Bearer ${input.bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify({ expires_at: input.expiresAt }),
      },
    );
    return rotatedFrom(body);
  } catch (err) {
    if (!isSecuError(err)) throw err;
    return meaningOf(err);
  }
}

function rotatedFrom(body: unknown): RotationAnswer {
  const rotated = RotatedToken.safeParse(body);
  if (rotated.success) return { kind: 'rotated', ...rotated.data };
  const id = RotatedTokenId.safeParse(body);
  return { kind: 'in_doubt', problem: 'no_value', newTokenId: id.success ? id.data : null };
}

/** Problems of a connection that was never established: nothing was sent. */
const NOT_SENT: ReadonlySet<unknown> = new Set<GitlabProblem>([
  'no_turn',
  'connection_refused',
  'no_route',
  'dns_no_answer',
  'dns_name_not_found',
]);
const REFUSALS = [
  'token_scope_missing',
  'token_wrong_kind',
  'account_blocked',
  'gitlab_rate_limited',
  'gitlab_tls_failed',
] as const;
const OWN_WORDS = new Set<unknown>(['legacy_rotation_disabled', 'gitlab_too_old', 'rotation_refused']);

/**
 * Only a refusal in GitLab's own format, or a request that was not sent, means "nothing was rotated". Everything
 * else is in doubt.
 */
function meaningOf(err: SecuError): RotationAnswer {
  const { problem, mustBeBefore } = err.details;
  if (typeof mustBeBefore === 'string') return { kind: 'expiry_too_late', mustBeBefore };
  if (problem === 'maintenance') return refused('gitlab_maintenance');
  if (err.code === 'rotation_not_possible')
    return refused(OWN_WORDS.has(problem) ? (problem as RotationBlock) : 'rotation_refused');
  const refusal = REFUSALS.find((code) => code === err.code);
  if (refusal !== undefined) return refused(refusal);
  if (err.code === 'gitlab_unreachable' && NOT_SENT.has(problem)) return refused(err.code);
  return {
    kind: 'in_doubt',
    problem: typeof problem === 'string' ? problem : err.code,
    newTokenId: null,
  };
}

function refused(code: RotationBlock): RotationAnswer {
  return { kind: 'refused', code };
}
