import type { ReachabilityCause } from '../../domain/causes.ts';
import { isReachabilityCause } from '../../domain/causes.ts';
import { isSecuError } from '../../domain/errors.ts';
import type { GitRemote } from '../../domain/ports.ts';
import type { Secret } from '../../domain/secret.ts';
import type { CloneObservation, TokenObservations } from '../../domain/verification.ts';
import type { GitlabClient, RepositorySample } from '../../gitlab/client.ts';
import { isOutage } from './credential.ts';

/**
 * Observes a token: whether it is valid, can list and can clone. A refused token is not used for another request.
 * Does not throw for answers or failures of GitLab.
 */
export async function observeToken(input: {
  gitlab: GitlabClient;
  git: GitRemote;
  baseUrl: string;
  token: Secret;
  /** True if a person waits for the answer. */
  interactive?: boolean;
  signal: AbortSignal;
}): Promise<TokenObservations> {
  const api = input.gitlab.forToken(input);
  const { prefixKind } = api;
  const self = await api.observeSelf({ signal: input.signal });
  if (self.kind !== 'token' && self.kind !== 'self_unreadable') {
    return { self, list: { kind: 'not_tried' }, clone: { kind: 'not_tried' }, prefixKind };
  }
  const { observation: list, samples } = await api.observeListing({ signal: input.signal });
  const clone =
    list.kind === 'listed' ? await observeClone({ ...input, samples }) : ({ kind: 'not_tried' } as const);
  return { self, list, clone, prefixKind };
}

type SampleObservation =
  | { kind: 'readable' | 'scope_missing' | 'sso_session_required' | 'refused' }
  | { kind: 'no_answer'; cause: ReachabilityCause };

interface SampleInput {
  git: GitRemote;
  baseUrl: string;
  token: Secret;
  signal: AbortSignal;
}

/** Usually one request. The other samples are tried only if the first one is not readable. */
async function observeClone({
  samples,
  ...input
}: SampleInput & { samples: readonly RepositorySample[] }): Promise<CloneObservation> {
  const [first, ...others] = samples;
  if (first === undefined) return { kind: 'not_tried' };
  const observed = await observeSample(input, first);
  if (observed.kind === 'readable') return { kind: 'readable' };
  const rest = await Promise.all(others.map((sample) => observeSample(input, sample)));
  return cloneObservationOf([observed, ...rest]);
}

/** Combines the samples. An outage or refusal of a single repository says nothing about the token. */
export function cloneObservationOf(samples: readonly SampleObservation[]): CloneObservation {
  const has = (kind: SampleObservation['kind']) => samples.some((sample) => sample.kind === kind);
  if (has('readable')) return { kind: 'readable' };
  // these two concern the token or its session, not one repository
  if (has('scope_missing')) return { kind: 'scope_missing' };
  if (has('sso_session_required')) return { kind: 'sso_session_required' };
  if (samples.length > 0 && samples.every(({ kind }) => kind === 'refused')) return { kind: 'all_refused' };
  const outages = samples.flatMap((sample) => (sample.kind === 'no_answer' ? sample : []));
  const [outage] = outages;
  const isEverywhere = outage !== undefined && samples.length > 1 && outages.length === samples.length;
  return isEverywhere ? { kind: 'no_answer', cause: outage.cause } : { kind: 'not_tried' };
}

async function observeSample(
  { git, ...input }: SampleInput,
  { fullPath, defaultBranch }: RepositorySample,
): Promise<SampleObservation> {
  try {
    const { commit } = await git.readHead({ ...input, fullPath, defaultBranch });
    // the repository is listed as not empty, so a missing head proves nothing
    return { kind: commit === null ? 'refused' : 'readable' };
  } catch (err) {
    if (isSecuError(err, 'token_scope_missing')) return { kind: 'scope_missing' };
    if (isSecuError(err, 'sso_session_required')) return { kind: 'sso_session_required' };
    if (!isSecuError(err)) throw err;
    if (!isOutage(err)) return { kind: 'refused' };
    return { kind: 'no_answer', cause: reachabilityCauseOf(err.code) };
  }
}

function reachabilityCauseOf(code: string): ReachabilityCause {
  return isReachabilityCause(code) ? code : 'gitlab_unreachable';
}
