import { causeTitle, formatCount } from '../../format/labels.ts';
import type { Hue } from '../../theme/tokens.ts';
import { isUnusable } from '../integrations/expiry.ts';

export interface ExpiringToken {
  integrationId: string;
  name: string;
  /** `YYYY-MM-DD`. */
  expiresAt: string;
  daysLeft: number;
  repositories: number;
}

/** An integration, with the expiry state of its token. */
export interface CalendarIntegration {
  id: string;
  name: string;
  cause: string | null;
  token: { expiry: { state: string; flag: number | null } } | null;
}

interface CalendarToken {
  integrationId: string;
  name: string;
  when: string;
  repositories: number | null;
}

export interface CalendarGroup {
  id: string;
  label: string;
  tokens: CalendarToken[];
  hue: Hue;
}

const MONTHS = 12;
const NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const BAD_FLAG = 7;

/**
 * Groups tokens by month of expiry for the next twelve months, starting with the current one. The colour of a month is
 * that of the most urgent threshold in it. Expired, later, never expiring and unknown tokens are in `others`.
 */
export function buildExpiryCalendar(input: {
  expiry: readonly ExpiringToken[];
  integrations: readonly CalendarIntegration[];
  nowMs: number;
}): { months: CalendarGroup[]; others: CalendarGroup[] } {
  const { integrations, nowMs } = input;
  const flags = new Map(integrations.map(({ id, token }) => [id, token?.expiry.flag ?? null]));
  const causes = new Map(integrations.map(({ id, cause }) => [id, cause]));
  const active = input.expiry.filter(({ daysLeft }) => daysLeft > 0);
  const group = (id: string, label: string, tokens: readonly ExpiringToken[]): CalendarGroup => ({
    id,
    label,
    tokens: tokens.map((token) => calendarToken(token, causes.get(token.integrationId) ?? null)),
    hue: hueOfFlags(tokens.map(({ integrationId }) => flags.get(integrationId) ?? null)),
  });
  const months = monthsFrom(nowMs).map(({ id, label }) =>
    group(
      id,
      label,
      active.filter(({ expiresAt }) => expiresAt.startsWith(id)),
    ),
  );
  const lastMonth = months.at(-1)?.id ?? '';
  const expired = input.expiry.filter(({ daysLeft }) => daysLeft <= 0);
  const later = active.filter(({ expiresAt }) => expiresAt.slice(0, 7) > lastMonth);
  const others = [
    { ...group('expired', 'Expired', expired), hue: 'bad' as const },
    group('later', 'Later', later),
    groupByExpiryState('never', 'No expiry', integrations),
    { ...groupByExpiryState('unknown', 'Unknown', integrations), hue: 'warn' as const },
  ];
  return { months, others };
}

function monthsFrom(nowMs: number): { id: string; label: string }[] {
  const now = new Date(nowMs);
  return Array.from({ length: MONTHS }, (_, index) => {
    const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + index, 1));
    const name = NAMES[first.getUTCMonth()] ?? '';
    const label = index === 0 || first.getUTCMonth() === 0 ? `${name} ${first.getUTCFullYear()}` : name;
    return { id: first.toISOString().slice(0, 7), label };
  });
}

function calendarToken(token: ExpiringToken, cause: string | null): CalendarToken {
  const { integrationId, name, expiresAt, daysLeft, repositories } = token;
  if (isUnusable(cause))
    return { integrationId, name, when: `${expiresAt}, but ${causeTitle(cause)}`, repositories };
  const remaining = daysLeft > 0 ? `, ${formatCount(daysLeft, 'day')} left` : '';
  return { integrationId, name, when: `${expiresAt}${remaining}`, repositories };
}

function groupByExpiryState(
  state: 'never' | 'unknown',
  label: string,
  integrations: readonly CalendarIntegration[],
): CalendarGroup {
  const tokens = integrations
    .filter(({ token }) => token?.expiry.state === state)
    .map(({ id, name }) => ({ integrationId: id, name, when: '', repositories: null }));
  return { id: state, label, tokens, hue: 'neutral' };
}

function hueOfFlags(flags: readonly (number | null)[]): Hue {
  const reached = flags.filter((flag) => flag !== null);
  if (reached.length === 0) return 'neutral';
  return Math.min(...reached) <= BAD_FLAG ? 'bad' : 'warn';
}
