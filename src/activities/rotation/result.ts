import type { RotationRow } from '../../db/stores/rotations.ts';
import type { RotationFailure } from '../../domain/rotation.ts';

/** The outcome of an attempt, for the workflow history and for the waiting caller. */
export type RotationResult =
  /** `ok`: the new token is stored and verified. `in_doubt`: GitLab was asked, and the outcome is unknown. */
  | { code: 'ok' | 'in_doubt'; attemptId: string; newTokenId: number | null; expiresAt: string }
  | { code: RotationFailure; attemptId: string };

export function openResult(attempt: RotationRow, code: 'ok' | 'in_doubt'): RotationResult {
  const { id, newTokenId, expiresOn } = attempt;
  return { code, attemptId: id, newTokenId, expiresAt: expiresOn };
}

/** The result of an attempt that has already ended. */
export function endedResult(attempt: RotationRow): RotationResult {
  switch (attempt.state) {
    case 'done':
      return openResult(attempt, 'ok');
    case 'intent':
    case 'committed':
      return openResult(attempt, 'in_doubt');
    case 'superseded':
      return { code: 'token_changed', attemptId: attempt.id };
    case 'lost':
      return { code: 'rotation_lost', attemptId: attempt.id };
    case 'refused':
    case 'not_rotated':
      return { code: attempt.code ?? 'not_rotated', attemptId: attempt.id };
  }
}
