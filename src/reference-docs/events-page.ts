import { EVENT_KINDS, isAuditKind, LIVE_KINDS } from '../domain/event.ts';
import { markdownPage } from './page.ts';

export function eventsPage(): string {
  return markdownPage('Events', [
    'Stored events, also streamed with their id: `GET /api/v1/events`, `GET /api/v1/events/stream`.',
    '',
    ...EVENT_KINDS.map((kind) => `- \`${kind}\`${isAuditKind(kind) ? ' (audit: administrators only)' : ''}`),
    '',
    'Streamed only, without an id:',
    '',
    ...LIVE_KINDS.map((kind) => `- \`${kind}\``),
  ]);
}
