import type { Label } from '../../format/labels.ts';
import { causeTitle, STATUS_LABELS } from '../../format/labels.ts';

export function statusLabel({
  status,
  cause,
}: {
  status: keyof typeof STATUS_LABELS;
  cause: string | null;
}): Label {
  const word = STATUS_LABELS[status];
  return status === 'invalid' && cause !== null
    ? { ...word, text: `${word.text}: ${causeTitle(cause)}` }
    : word;
}

/** What kind of account the token belongs to. */
export const OWNER_KIND_TEXTS = {
  user: 'person',
  service_account: 'service account',
  group_token: 'group token',
  project_token: 'project token',
  bot: 'bot',
  unknown: 'owner unknown',
} as const;

interface Sync {
  state: 'idle' | 'running' | 'waiting' | 'failed';
  cause: string | null;
  listed: number;
  lastCompletedAt: string | null;
  complete: boolean;
}

/** Where the listing stands; `null` where only its time is to be said. */
export function syncLabel({ state, cause, listed, lastCompletedAt, complete }: Sync): Label | null {
  switch (state) {
    case 'running':
      return { text: `Syncing: ${listed.toLocaleString('en')} listed`, hue: 'info' };
    case 'waiting':
      return waitingLabel(cause);
    case 'failed':
      return { text: `Sync failed: ${causeTitle(cause)}`, hue: 'bad' };
    case 'idle':
      if (lastCompletedAt === null) return { text: 'Never synced', hue: 'neutral' };
      return complete ? null : { text: 'Incomplete list: nothing was removed', hue: 'warn' };
  }
}

function waitingLabel(cause: string | null): Label {
  if (cause === 'brake_engaged') return { text: 'Sync held back', hue: 'warn' };
  if (cause === null) return { text: 'Sync waits', hue: 'info' };
  return { text: `Waiting for GitLab: ${causeTitle(cause)}`, hue: 'warn' };
}

/** Why Secu cannot rotate the token at GitLab itself (`rotateBlockedBy`). */
const ROTATION_BLOCKS: Record<string, string> = {
  not_verified: 'the token has not been verified yet',
  integration_invalid: 'the token does not work',
  rotation_in_doubt: 'an earlier rotation is not settled yet',
  token_scope_missing: 'it has neither the scope self_rotate nor api',
  token_permission_unknown: 'GitLab does not tell whether this fine-grained token may',
  expiry_unknown: 'the expiry date of the token is unknown',
  token_expired: 'the token has expired',
  expires_within_48_hours: 'less than 48 hours are left',
};

export function rotationBlockText(code: string | null): string {
  return code === null ? 'it was not verified yet' : (ROTATION_BLOCKS[code] ?? causeTitle(code));
}

/** Whether Secu can rotate the token, and whether it does so by itself. */
export function rotationText(
  token: { canRotate: boolean; rotateBlockedBy: string | null },
  autoRotate: { enabled: boolean; daysBefore: number },
): string {
  // the last 48 hours are what rotation by itself is for
  const can = token.canRotate || token.rotateBlockedBy === 'expires_within_48_hours';
  const reason = rotationBlockText(token.rotateBlockedBy);
  if (autoRotate.enabled)
    return can
      ? `by itself, ${autoRotate.daysBefore} days before the end`
      : `switched on, but not possible: ${reason}`;
  return token.canRotate ? 'possible' : `not possible: ${reason}`;
}

/** How long GitLab has not been reached. */
export function outageText(since: string, nowMs: number): string {
  const minutes = Math.floor((nowMs - Date.parse(since)) / 60_000);
  if (minutes < 1) return 'GitLab unreachable for less than a minute';
  const hours = Math.floor(minutes / 60);
  if (hours < 1) return `GitLab unreachable for ${minutes} min`;
  return hours < 48
    ? `GitLab unreachable for ${hours} h`
    : `GitLab unreachable for ${Math.floor(hours / 24)} days`;
}

/** The host, and the path where GitLab lies below one: what people call an instance. */
export function hostOf(baseUrl: string): string {
  return baseUrl.replace(/^https?:\/\//, '');
}

/** What a warning about a token means for whoever runs Secu. */
export function warningText(
  warning: string,
  token: { owner: { username: string | null }; scopes: readonly string[] },
): string {
  switch (warning) {
    case 'token_overprivileged': {
      const spare = token.scopes.filter((scope) => !NEEDED_SCOPES.includes(scope));
      return `Not needed: ${spare.join(', ')}. read_api and read_repository are enough.`;
    }
    case 'token_of_a_person':
      return `When ${token.owner.username ?? 'this person'} leaves, scanning stops. Use a service account of the group.`;
    case 'no_repositories':
      return 'Give its owner at least the role Reporter in the groups to scan, then sync.';
    case 'owner_changed':
      return 'The token belongs to somebody else than the one before. Check that this was meant.';
    case 'reach_reduced':
      return 'Some repositories are not listed any more. Look into the activity below.';
    case 'reach_grown':
      return 'It reaches more than the token before. Check that this was meant.';
    default:
      return '';
  }
}

const NEEDED_SCOPES = ['read_api', 'read_repository', 'self_rotate'];
