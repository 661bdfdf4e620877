import type { RotationRow } from '../../db/stores/rotations.ts';
import { lastDateBefore } from '../../domain/rotation.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import type { RotationAnswer } from '../../gitlab/rotate.ts';
import type { RotationDeps } from '../deps.ts';

/**
 * Step 3: sends one POST. A second one follows only if GitLab rejected the first, changed nothing, and named the
 * latest date that it accepts.
 */
export async function requestRotation(
  deps: RotationDeps,
  input: { attempt: RotationRow; api: GitlabApi; now: Date },
): Promise<RotationAnswer> {
  const { attempt, api, now } = input;
  const answer = await api.rotateSelf({ expiresAt: attempt.expiresOn });
  if (answer.kind !== 'expiry_too_late') return answer;
  const sooner = lastDateBefore(answer.mustBeBefore, now.getTime());
  if (sooner === null) return { kind: 'refused', code: 'expiry_not_accepted' };
  await deps.database.stores.rotations.setExpiry({ id: attempt.id, expiresOn: sooner });
  const second = await api.rotateSelf({ expiresAt: sooner });
  return second.kind === 'expiry_too_late' ? { kind: 'refused', code: 'expiry_not_accepted' } : second;
}
