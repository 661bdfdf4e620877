import { causeTitle } from '../../format/labels.ts';
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

/** An integration whose token may have no end, or none that is known. */
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
 * The next twelve months, from this one on, with the tokens that end in each, in the colour of the threshold that the
 * first of them has reached. What has ended, ends later, never, or when nobody knows, stands beside them.
 */
export function buildExpiryCalendar(input: {
  expiry: readonly ExpiringToken[];
  integrations: readonly CalendarIntegration[];
  nowMs: number;
}): { months: CalendarGroup[]; others: CalendarGroup[] } {
  const { integrations, nowMs } = input;
  const flags = new Map(integrations.map(({ id, token }) => [id, token?.expiry.flag ?? null]));
  const causes = new Map(integrations.map(({ id, cause }) => [id, cause]));
  const alive = input.expiry.filter(({ daysLeft }) => daysLeft > 0);
  const group = (id: string, label: string, endings: readonly ExpiringToken[]): CalendarGroup => ({
    id,
    label,
    tokens: endings.map((ending) => calendarToken(ending, causes.get(ending.integrationId) ?? null)),
    hue: hueOfFlags(endings.map(({ integrationId }) => flags.get(integrationId) ?? null)),
  });
  const months = monthsFrom(nowMs).map(({ id, label }) =>
    group(
      id,
      label,
      alive.filter(({ expiresAt }) => expiresAt.startsWith(id)),
    ),
  );
  const last = months.at(-1)?.id ?? '';
  const dead = input.expiry.filter(({ daysLeft }) => daysLeft <= 0);
  const later = alive.filter(({ expiresAt }) => expiresAt.slice(0, 7) > last);
  const others = [
    { ...group('expired', 'Expired', dead), hue: 'bad' as const },
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

function calendarToken(ending: ExpiringToken, cause: string | null): CalendarToken {
  const { integrationId, name, expiresAt, daysLeft, repositories } = ending;
  if (isUnusable(cause))
    return { integrationId, name, when: `${expiresAt}, but ${causeTitle(cause)} already`, repositories };
  const left = daysLeft > 0 ? `, ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'} left` : '';
  return { integrationId, name, when: `${expiresAt}${left}`, repositories };
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
