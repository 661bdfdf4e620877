import type { ROTATION_BLOCKS } from './rotation.ts';

/** Why a token was not rotated, or cannot be, as a clause. API, command line and dashboard all show these texts. */
const TEXTS: Record<(typeof ROTATION_BLOCKS)[number], string> = {
  not_verified: 'the token has not been verified yet',
  integration_invalid: 'the token does not work',
  rotation_in_doubt: 'the outcome of an earlier rotation is still unknown',
  token_scope_missing: 'the token has neither the scope self_rotate nor api',
  token_permission_unknown: 'GitLab does not report whether this fine-grained token may rotate itself',
  expiry_unknown: 'the expiry date of the token is unknown',
  token_expired: 'the token has expired',
  expires_within_48_hours: 'the token expires within 48 hours',
  too_late: 'the rotation started too late; nothing was sent to GitLab',
  rotation_busy: 'another token is being rotated at this GitLab; try again in a moment',
  shutting_down: 'the worker is shutting down; try again in a moment',
  token_changed: 'the token was replaced in the meantime',
  journal_not_writable: 'the journal of the worker is not writable',
  database_not_writable: 'the database cannot store the new token',
  expiry_not_accepted: 'GitLab does not accept this expiry date',
  gitlab_too_old: 'this GitLab is older than 16.10',
  gitlab_maintenance: 'GitLab is in maintenance mode',
  legacy_rotation_disabled: 'this GitLab rotates fine-grained tokens only',
  rotation_refused: 'GitLab refused the rotation',
};

/** The text of a block; any other code is the cause for which the token does not work. */
export function rotationBlockText(code: string): string {
  return isBlock(code) ? TEXTS[code] : `the token does not work (${code})`;
}

function isBlock(code: string): code is keyof typeof TEXTS {
  return Object.hasOwn(TEXTS, code);
}
