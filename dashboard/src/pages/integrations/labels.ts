import type { Integration, OwnerKind, Token, TokenWarning } from '../../api/types.ts';
import type { Label } from '../../format/labels.ts';
import { causeTitle, STATUS_LABELS } from '../../format/labels.ts';

/** The status; an invalid integration shows its cause too. */
export function statusLabel({ status, cause }: Pick<Integration, 'status' | 'cause'>): Label {
  const label = STATUS_LABELS[status];
  return status === 'invalid' && cause !== null
    ? { ...label, text: `${label.text}: ${causeTitle(cause)}` }
    : label;
}

/** The kind of account that owns the token. */
export const OWNER_KIND_TEXTS: Record<OwnerKind, string> = {
  user: 'personal account',
  service_account: 'service account',
  group_token: 'group token',
  project_token: 'project token',
  bot: 'bot',
  unknown: 'owner unknown',
};

/** The state of the sync; `null` where the time of the last sync is enough. */
export function syncLabel(sync: Integration['sync']): Label | null {
  switch (sync.state) {
    case 'running':
      return { text: `Syncing: ${sync.listed.toLocaleString('en')} listed`, hue: 'info' };
    case 'waiting':
      return waitingLabel(sync.cause);
    case 'failed':
      return { text: `Sync failed: ${causeTitle(sync.cause)}`, hue: 'bad' };
    case 'idle':
      if (sync.lastCompletedAt === null) return { text: 'Never synced', hue: 'neutral' };
      return sync.complete ? null : { text: 'Incomplete sync: nothing was removed', hue: 'warn' };
  }
}

function waitingLabel(cause: string | null): Label {
  if (cause === 'brake_engaged') return { text: 'Sync needs review', hue: 'warn' };
  if (cause === null) return { text: 'Sync queued', hue: 'info' };
  return { text: `Waiting for GitLab: ${causeTitle(cause)}`, hue: 'warn' };
}

type RotationFacts = Pick<Token, 'canRotate' | 'rotateBlockedBy' | 'rotateBlockedReason'>;

/** Automatic rotation still runs in the last 48 hours, and a user can force a rotation there. */
export function isRotationPossible(
  token: Pick<RotationFacts, 'canRotate' | 'rotateBlockedBy'> | null,
): boolean {
  return token !== null && (token.canRotate || token.rotateBlockedBy === 'expires_within_48_hours');
}

/** Whether Secu can rotate the token, and whether it does so automatically. */
export function rotationText(token: RotationFacts, autoRotate: Integration['autoRotate']): string {
  const reason = token.rotateBlockedReason ?? 'unknown reason';
  if (autoRotate.enabled)
    return isRotationPossible(token)
      ? `automatic, ${autoRotate.daysBefore} days before expiry`
      : `automatic, but not possible: ${reason}`;
  return token.canRotate ? 'possible' : `not possible: ${reason}`;
}

/** How long GitLab has been unreachable. */
export function outageText(since: string, nowMs: number): string {
  const minutes = Math.floor((nowMs - Date.parse(since)) / 60_000);
  if (minutes < 1) return 'GitLab unreachable for less than a minute';
  const hours = Math.floor(minutes / 60);
  if (hours < 1) return `GitLab unreachable for ${minutes} min`;
  return hours < 48
    ? `GitLab unreachable for ${hours} h`
    : `GitLab unreachable for ${Math.floor(hours / 24)} days`;
}

/** Host and path of the base URL, which identify a GitLab instance. */
export function hostOf(baseUrl: string): string {
  return baseUrl.replace(/^https?:\/\//, '');
}

const NEEDED_SCOPES = ['read_api', 'read_repository', 'self_rotate'];
type WarningFacts = Pick<Token, 'scopes'> & { owner: Pick<Token['owner'], 'username'> };

const WARNING_TEXTS: Record<TokenWarning, (token: WarningFacts) => string> = {
  token_overprivileged: ({ scopes }) => {
    const extra = scopes.filter((scope) => !NEEDED_SCOPES.includes(scope));
    return `Not needed: ${extra.join(', ')}. The scopes read_api and read_repository are enough.`;
  },
  token_of_a_person: ({ owner }) =>
    `Scanning stops when ${owner.username ?? 'the owner'} leaves. Use a group service account instead.`,
  no_repositories: () => 'Give the owner at least the Reporter role in the groups to scan, then sync.',
  owner_changed: () => 'The new token has a different owner. Check that this is intended.',
  reach_reduced: () => 'Some repositories are no longer listed. See Activity for details.',
  reach_grown: () => 'The new token can access more repositories. Check that this is intended.',
  nothing_clonable: () =>
    'GitLab lists repositories, but Git refused every one that was tried. Check that Git over HTTPS is enabled and that the token owner may read code.',
};

/** What a warning about a token means, and what to do about it. */
export function warningText(warning: TokenWarning, token: WarningFacts): string {
  return WARNING_TEXTS[warning](token);
}

export const HOOK_STATE_TEXTS: Record<Integration['hooks']['state'], string> = {
  none: 'No webhook has been received yet.',
  receiving: 'Webhooks are received.',
  silent: 'Webhooks have stopped although there were new commits: check them in GitLab.',
};
