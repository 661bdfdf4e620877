import type { Word } from '../../format/labels.ts';
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
export interface Known {
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
export function inOrder(items: readonly AttentionItem[], known: readonly Known[]): AttentionItem[] {
  const days = (item: AttentionItem) =>
    item.kind === 'expiring' ? (tokenOf(item, known)?.expiry.daysLeft ?? Number.MAX_SAFE_INTEGER) : 0;
  return [...items].sort((a, b) => rankOf(a) - rankOf(b) || days(a) - days(b));
}

function tokenOf({ integrationId }: AttentionItem, known: readonly Known[]): Known['token'] {
  return known.find(({ id }) => id === integrationId)?.token ?? null;
}

/** Who it is about: the name that the API begins its sentence with, as long as the integration is not known. */
export function whoOf(item: AttentionItem, known: readonly Known[]): string {
  if (item.repositoryId === null) {
    const name = known.find(({ id }) => id === item.integrationId)?.name;
    if (name !== undefined) return name;
  }
  if (item.integrationId === null) return 'Secu';
  const end = item.text.indexOf(': ');
  return end === -1 ? item.text : item.text.slice(0, end);
}

/** What it is, for people. */
export function whatOf(item: AttentionItem, known: readonly Known[]): Word {
  const { kind, cause } = item;
  switch (kind) {
    case 'invalid':
      return { text: `Invalid: ${causeTitle(cause)}`, hue: 'bad' };
    case 'expired':
      return { text: 'Token expired', hue: 'bad' };
    case 'expiring':
      return expiringWord(tokenOf(item, known));
    case 'brake_engaged':
      return { text: 'Sync held back: many repositories would vanish', hue: 'warn' };
    case 'scan_failed':
      return { text: `Scan failed: ${causeTitle(cause)}`, hue: 'bad' };
    case 'unreachable':
      return {
        text:
          cause === null || cause === 'gitlab_unreachable'
            ? 'GitLab unreachable'
            : capital(causeTitle(cause)),
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

function expiringWord(token: Known['token']): Word {
  const days = token?.expiry.daysLeft ?? null;
  if (token === null || days === null) return { text: 'Token nears its end', hue: 'warn' };
  const flag = token.expiry.flag;
  const hue = flag !== null && flag <= BAD_FLAG ? 'bad' : 'warn';
  return { text: `${days} ${days === 1 ? 'day' : 'days'} left, ${token.expiresAt ?? ''}`, hue };
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
