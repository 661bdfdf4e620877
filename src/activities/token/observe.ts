import { isSecuError } from '../../domain/errors.ts';
import type { GitRemote } from '../../domain/ports.ts';
import type { Secret } from '../../domain/secret.ts';
import type { CloneObservation, TokenObservations } from '../../domain/verification.ts';
import type { GitlabClient, RepositorySample } from '../../gitlab/client.ts';
import { isOutage } from './credential.ts';

/**
 * Looks at a token: is it alive, can it list, can it clone. Asks no more than it must: a token that GitLab refuses is
 * not used again. Never throws for what GitLab does.
 */
export async function observeToken(input: {
  gitlab: GitlabClient;
  git: GitRemote;
  baseUrl: string;
  token: Secret;
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

/** One readable repository is the proof. A refusal for one repository alone says nothing of the token. */
async function observeClone(input: {
  git: GitRemote;
  baseUrl: string;
  token: Secret;
  signal: AbortSignal;
  samples: readonly RepositorySample[];
}): Promise<CloneObservation> {
  for (const { fullPath } of input.samples) {
    try {
      const { commit } = await input.git.readHead({
        baseUrl: input.baseUrl,
        fullPath,
        token: input.token,
        signal: input.signal,
      });
      // listed as not empty: no head is no proof
      if (commit !== null) return { kind: 'readable' };
    } catch (err) {
      if (isSecuError(err, 'token_scope_missing')) return { kind: 'scope_missing' };
      if (isSecuError(err, 'sso_session_required')) return { kind: 'sso_session_required' };
      if (!isSecuError(err)) throw err;
      if (isOutage(err)) return { kind: 'no_answer', cause: reachabilityCauseOf(err.code) };
    }
  }
  return { kind: 'not_tried' };
}

function reachabilityCauseOf(code: string): (CloneObservation & { kind: 'no_answer' })['cause'] {
  switch (code) {
    case 'gitlab_tls_failed':
    case 'gitlab_redirected':
    case 'gitlab_rate_limited':
    case 'gitlab_reply_unreadable':
    case 'not_gitlab':
      return code;
    default:
      return 'gitlab_unreachable';
  }
}
