import type { Label } from '../../format/labels.ts';
import { causeTitle } from '../../format/labels.ts';

export interface AttentionItem {
  kind: string;
  integrationId: string | null;
  repositoryId: string | null;
  since: string;
  cause: string | null;
  text: string;
}

/** What of an integration a row of attention is told by. */
export interface KnownIntegration {
  id: string;
  name: string;
  token: { expiry: { daysLeft: number | null; flag: number | null }; expiresAt: string | null } | null;
}

/** Most urgent first; what is not named here comes last. */
const ORDER = ['invalid', 'expired', 'expiring', 'brake_engaged', 'scan_failed', 'unreachable', 'no_channel'];
const BAD_FLAG = 7;

function rankOf({ kind, cause }: AttentionItem): number {
  if (kind === 'invalid') return cause === 'rotation_lost' ? 0.5 : 0;
  const rank = ORDER.indexOf(kind);
  return rank === -1 ? ORDER.length : rank;
}

/** Invalid, lost rotations, expired, days left ascending, braked syncs, failed scans, outages; then what is not set up. */
export function sortByUrgency(
  items: readonly AttentionItem[],
  known: readonly KnownIntegration[],
): AttentionItem[] {
  const days = (item: AttentionItem) =>
    item.kind === 'expiring' ? (tokenOf(item, known)?.expiry.daysLeft ?? Number.MAX_SAFE_INTEGER) : 0;
  return [...items].sort((a, b) => rankOf(a) - rankOf(b) || days(a) - days(b));
}

function tokenOf(
  { integrationId }: AttentionItem,
  known: readonly KnownIntegration[],
): KnownIntegration['token'] {
  return known.find(({ id }) => id === integrationId)?.token ?? null;
}

/** Who it is about: the name that the API begins its sentence with, as long as the integration is not known. */
export function attentionSubject(item: AttentionItem, known: readonly KnownIntegration[]): string {
  if (item.repositoryId === null) {
    const name = known.find(({ id }) => id === item.integrationId)?.name;
    if (name !== undefined) return name;
  }
  if (item.integrationId === null) return 'Secu';
  const end = item.text.indexOf(': ');
  return end === -1 ? item.text : item.text.slice(0, end);
}

/** What it is, for people. */
export function attentionLabel(item: AttentionItem, known: readonly KnownIntegration[]): Label {
  const { kind, cause } = item;
  switch (kind) {
    case 'invalid':
      return { text: `Invalid: ${causeTitle(cause)}`, hue: 'bad' };
    case 'expired':
      return { text: 'Token expired', hue: 'bad' };
    case 'expiring':
      return expiringLabel(tokenOf(item, known));
    case 'brake_engaged':
      return { text: 'Sync held back: many repositories would vanish', hue: 'warn' };
    case 'scan_failed':
      return { text: `Scan failed: ${causeTitle(cause)}`, hue: 'bad' };
    case 'unreachable':
      return {
        text:
          cause === null || cause === 'gitlab_unreachable'
            ? 'GitLab unreachable'
            : capitalize(causeTitle(cause)),
        hue: 'warn',
      };
    case 'no_channel':
      return {
        text:
          item.integrationId === null
            ? 'Nobody is told when a token nears its end'
            : 'Nobody is told when its token nears its end',
        hue: 'warn',
      };
    default:
      return { text: item.text, hue: 'warn' };
  }
}

function expiringLabel(token: KnownIntegration['token']): Label {
  const days = token?.expiry.daysLeft ?? null;
  if (token === null || days === null) return { text: 'Token nears its end', hue: 'warn' };
  const flag = token.expiry.flag;
  const hue = flag !== null && flag <= BAD_FLAG ? 'bad' : 'warn';
  return { text: `${days} ${days === 1 ? 'day' : 'days'} left, ${token.expiresAt ?? ''}`, hue };
}

function capitalize(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
