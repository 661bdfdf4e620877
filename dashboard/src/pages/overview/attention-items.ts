import type { AttentionItem, AttentionKind } from '../../api/types.ts';
import type { Label } from '../../format/labels.ts';
import { capitalize, causeTitle, formatCount } from '../../format/labels.ts';

/** The properties of an integration that the rows of the attention list need. */
export interface KnownIntegration {
  id: string;
  name: string;
  token: { expiry: { daysLeft: number | null; flag: number | null }; expiresAt: string | null } | null;
}

/** Lower is more urgent. */
const URGENCY: Record<AttentionKind, number> = {
  invalid: 0,
  expired: 1,
  expiring: 2,
  brake_engaged: 3,
  nothing_clonable: 4,
  scan_failed: 5,
  history_failed: 6,
  unreachable: 7,
  hooks_silent: 8,
  no_channel: 9,
};
const BAD_FLAG = 7;

function urgencyOf({ kind, cause }: AttentionItem): number {
  return cause === 'rotation_lost' ? 0.5 : URGENCY[kind];
}

/** Most urgent first; expiring tokens by days left. */
export function sortByUrgency(
  items: readonly AttentionItem[],
  integrations: readonly KnownIntegration[],
): AttentionItem[] {
  const daysLeft = (item: AttentionItem) =>
    item.kind === 'expiring' ? (tokenOf(item, integrations)?.expiry.daysLeft ?? Number.MAX_SAFE_INTEGER) : 0;
  return items.toSorted((a, b) => urgencyOf(a) - urgencyOf(b) || daysLeft(a) - daysLeft(b));
}

function tokenOf(
  { integrationId }: AttentionItem,
  integrations: readonly KnownIntegration[],
): KnownIntegration['token'] {
  return integrations.find(({ id }) => id === integrationId)?.token ?? null;
}

/** Name of the integration or repository. Until the integration is loaded, the name that the API's text starts with. */
export function attentionSubject(item: AttentionItem, integrations: readonly KnownIntegration[]): string {
  if (item.repositoryId === null) {
    const name = integrations.find(({ id }) => id === item.integrationId)?.name;
    if (name !== undefined) return name;
  }
  if (item.integrationId === null) return 'Secu';
  const end = item.text.indexOf(': ');
  return end === -1 ? item.text : item.text.slice(0, end);
}

export function attentionLabel(item: AttentionItem, integrations: readonly KnownIntegration[]): Label {
  const { kind, cause } = item;
  switch (kind) {
    case 'invalid':
      return { text: `Invalid: ${causeTitle(cause)}`, hue: 'bad' };
    case 'expired':
      return { text: 'Token expired', hue: 'bad' };
    case 'expiring':
      return expiringLabel(tokenOf(item, integrations));
    case 'brake_engaged':
      return { text: 'Sync needs review: it would remove many repositories', hue: 'warn' };
    case 'nothing_clonable':
      return { text: 'No repository can be cloned', hue: 'bad' };
    case 'scan_failed':
      return { text: `Scan failed: ${causeTitle(cause)}`, hue: 'bad' };
    case 'history_failed':
      return { text: `History not read: ${causeTitle(cause)}`, hue: 'warn' };
    case 'unreachable':
      return { text: capitalize(causeTitle(cause ?? 'gitlab_unreachable')), hue: 'warn' };
    case 'hooks_silent':
      return { text: 'Webhooks have stopped', hue: 'warn' };
    case 'no_channel':
      return { text: 'No channel receives expiry alerts', hue: 'warn' };
  }
}

function expiringLabel(token: KnownIntegration['token']): Label {
  const days = token?.expiry.daysLeft ?? null;
  if (token === null || days === null) return { text: 'Token expires soon', hue: 'warn' };
  const flag = token.expiry.flag;
  const hue = flag !== null && flag <= BAD_FLAG ? 'bad' : 'warn';
  return { text: `${formatCount(days, 'day')} left, ${token.expiresAt ?? ''}`, hue };
}
