import type { Label } from '../../../format/labels.ts';

export const CHANNEL_KIND_TEXTS = { webhook: 'Webhook', slack: 'Slack', email: 'Mail' };

export const DELIVERY_STATE_LABELS: Record<'queued' | 'sent' | 'failed', Label> = {
  queued: { text: 'Waiting', hue: 'info' },
  sent: { text: 'Sent', hue: 'ok' },
  failed: { text: 'Failed', hue: 'bad' },
};

const DELIVERY_CAUSE_TEXTS: Record<string, string> = {
  address_refused: 'address not allowed',
  name_not_found: 'name does not resolve',
  connection_failed: 'nobody answers',
  timed_out: 'no answer in time',
  tls_failed: 'certificate not trusted',
  redirected: 'redirected elsewhere',
  receiver_refused: 'refused by the receiver',
  receiver_failed: 'the receiver failed',
  receiver_gone: 'receiver gone',
  reply_unreadable: 'answer not understood',
  mail_not_configured: 'no mail server is set',
  mail_sign_in_failed: 'mail server refused the password',
  mail_refused: 'mail server refused the message',
  channel_off: 'channel switched off',
  event_removed: 'event no longer kept',
  secret_unreadable: 'address cannot be opened',
  failed_unexpectedly: 'unforeseen failure',
};

export function deliveryCauseText(cause: string | null): string {
  return cause === null ? '' : (DELIVERY_CAUSE_TEXTS[cause] ?? cause);
}

/** What a channel can be told of, by area, in words; a test holds it against the API's own list. */
export const CHANNEL_EVENT_TEXTS: Record<string, string> = {
  'integration.invalid': 'the token no longer works',
  'integration.expiry_flagged': 'the token ends soon',
  'integration.expired': 'the token has ended',
  'integration.rotation_lost': 'a new token was lost',
  'integration.rotation_failed': 'rotation failed',
  'integration.token_refused': 'a new token was refused',
  'integration.unreachable': 'GitLab does not answer',
  'integration.recovered': 'GitLab answers again',
  'integration.reach_changed': 'the token reaches more or less than before',
  'integration.created': 'an integration was made',
  'integration.verified': 'a token was verified',
  'integration.token_replaced': 'a token was replaced',
  'integration.rotated': 'a token was rotated',
  'integration.paused': 'an integration was paused',
  'integration.resumed': 'an integration was resumed',
  'integration.removed': 'an integration was removed',
  'sync.brake_engaged': 'a listing lost so many repositories that it was held back',
  'sync.failed': 'a listing failed',
  'sync.started': 'a listing was started',
  'sync.finished': 'a listing ended',
  'repository.added': 'a repository is new',
  'repository.renamed': 'a repository was renamed',
  'repository.excluded': 'a repository is left out now',
  'repository.missing': 'a repository is no longer listed',
  'repository.returned': 'a repository is listed again',
  'repository.removed': 'a repository was removed',
  'scan.failed': 'a scan failed',
  'scan.finished': 'a scan ended',
  'finding.opened': 'something was found',
  'finding.reopened': 'something was found again',
  'finding.fixed': 'something is no longer found',
  'finding.triaged': 'somebody judged a finding',
};

/** What the API tells of when nobody chose. */
export const DEFAULT_CHANNEL_EVENTS: ReadonlySet<string> = new Set([
  'integration.invalid',
  'integration.expiry_flagged',
  'integration.expired',
  'integration.rotation_lost',
  'sync.brake_engaged',
]);

/** `What needs a person`, `All kinds`, or `integration 4, sync 1`. */
export function summarizeEvents(events: readonly string[]): string {
  const chosen = new Set(events);
  if (
    chosen.size === DEFAULT_CHANNEL_EVENTS.size &&
    [...chosen].every((kind) => DEFAULT_CHANNEL_EVENTS.has(kind))
  )
    return 'What needs a person';
  if (Object.keys(CHANNEL_EVENT_TEXTS).every((kind) => chosen.has(kind))) return 'All kinds';
  const areas = Map.groupBy(chosen, (kind) => kind.split('.')[0] ?? kind);
  return [...areas].map(([area, kinds]) => `${area} ${kinds.length}`).join(', ');
}
