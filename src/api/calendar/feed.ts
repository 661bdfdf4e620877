import { ICalCalendar, ICalCalendarMethod, ICalEventTransparency } from 'ical-generator';
import { escapeForeignText } from '../../domain/finding.ts';
import { expiryMs } from '../../domain/token-expiry.ts';

const DAY_MS = 86_400_000;
const REFRESH_SECONDS = 6 * 3_600;

/** A token with a known expiry date. `expiresOn` is `YYYY-MM-DD`. */
export interface CalendarToken {
  integrationId: string;
  name: string;
  expiresOn: string;
  repositories: number;
  /** When this token became the current one. */
  since: Date;
}

/**
 * The calendar: the expiry date and the future flags of each token, as whole days in UTC. It contains only names, dates
 * and counts. The event ids stay the same when a token is replaced, so calendar apps move the events.
 * @see RFC 5545
 */
export function calendarFeed(input: {
  tokens: readonly CalendarToken[];
  thresholds: readonly number[];
  now: Date;
  /** Suffix of event ids, so that those of two installations differ. */
  host: string;
}): string {
  const { tokens, thresholds, host } = input;
  const today = Math.floor(input.now.getTime() / DAY_MS) * DAY_MS;
  const calendar = new ICalCalendar({
    name: 'Secu: token expiry',
    prodId: { company: 'Secu', product: 'token expiry', language: 'EN' },
    method: ICalCalendarMethod.PUBLISH,
    ttl: REFRESH_SECONDS,
  });
  for (const token of tokens) {
    for (const daysBefore of [...thresholds, 0]) {
      const startMs = expiryMs(token.expiresOn) - daysBefore * DAY_MS;
      if (daysBefore !== 0 && startMs < today) continue;
      calendar.createEvent({
        id: `${token.integrationId}-${daysBefore}@${host}`,
        stamp: token.since,
        start: new Date(startMs),
        end: new Date(startMs + DAY_MS),
        allDay: true,
        transparency: ICalEventTransparency.TRANSPARENT,
        ...eventTexts(token, daysBefore),
      });
    }
  }
  return calendar.toString();
}

function eventTexts(token: CalendarToken, daysBefore: number): { summary: string; description: string } {
  const name = escapeForeignText(token.name);
  const consequence = `${token.repositories} ${token.repositories === 1 ? 'repository is' : 'repositories are'} no longer scanned from then on.`;
  if (daysBefore === 0) {
    return {
      summary: `${name}: the token has expired`,
      description: `The token expires at 00:00 UTC on ${token.expiresOn}. Without a replacement ${consequence}`,
    };
  }
  return {
    summary: `${name}: the token has ${daysBefore} ${daysBefore === 1 ? 'day' : 'days'} left`,
    description: `The token expires at 00:00 UTC on ${token.expiresOn}. Replace it before then, or ${consequence}`,
  };
}
