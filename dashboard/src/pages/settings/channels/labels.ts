import type { ChannelEventKind, ChannelKind, DeliveryCause, DeliveryState } from '../../../api/types.ts';
import type { Label } from '../../../format/labels.ts';

export const CHANNEL_KIND_TEXTS: Record<ChannelKind, string> = {
  webhook: 'Webhook',
  slack: 'Slack',
  email: 'Email',
};

export const DELIVERY_STATE_LABELS: Record<DeliveryState, Label> = {
  queued: { text: 'Queued', hue: 'info' },
  sent: { text: 'Sent', hue: 'ok' },
  failed: { text: 'Failed', hue: 'bad' },
};

/** Short titles; what to do about a cause is the `advice` that the API sends. */
const DELIVERY_CAUSE_TEXTS: Record<DeliveryCause, string> = {
  address_refused: 'address not allowed',
  name_not_found: 'host not found',
  connection_failed: 'connection failed',
  timed_out: 'timed out',
  tls_failed: 'certificate not trusted',
  redirected: 'unexpected redirect',
  receiver_refused: 'refused by the receiver',
  receiver_failed: 'receiver error',
  receiver_gone: 'receiver gone',
  reply_unreadable: 'unreadable answer',
  mail_not_configured: 'no mail server configured',
  mail_sign_in_failed: 'mail server rejected the password',
  mail_refused: 'mail server refused the message',
  channel_off: 'channel disabled',
  event_removed: 'event expired',
  secret_unreadable: 'address cannot be decrypted',
  failed_unexpectedly: 'unexpected error',
};

export function deliveryCauseText(cause: DeliveryCause | null): string {
  return cause === null ? '' : DELIVERY_CAUSE_TEXTS[cause];
}

/** The events that a channel can subscribe to, by area. */
export const CHANNEL_EVENT_TEXTS: Record<ChannelEventKind, string> = {
  'integration.invalid': 'the token no longer works',
  'integration.expiry_flagged': 'the token expires soon',
  'integration.expired': 'the token has expired',
  'integration.rotation_lost': 'a rotated token was lost',
  'integration.rotation_failed': 'a rotation failed',
  'integration.token_refused': 'a replacement token was refused',
  'integration.unreachable': 'GitLab is unreachable',
  'integration.recovered': 'GitLab is reachable again',
  'integration.reach_changed': 'the token can access more or fewer repositories',
  'integration.created': 'an integration was created',
  'integration.verified': 'a token was verified',
  'integration.token_replaced': 'a token was replaced',
  'integration.rotated': 'a token was rotated',
  'integration.paused': 'an integration was paused',
  'integration.resumed': 'an integration was resumed',
  'integration.removed': 'an integration was removed',
  'sync.brake_engaged': 'a sync would remove many repositories and needs a review',
  'sync.failed': 'a sync failed',
  'sync.started': 'a sync started',
  'sync.finished': 'a sync finished',
  'repository.added': 'a repository was added',
  'repository.renamed': 'a repository was renamed',
  'repository.excluded': 'a repository was excluded',
  'repository.missing': 'a repository is no longer listed',
  'repository.returned': 'a repository is listed again',
  'repository.removed': 'a repository was removed',
  'scan.failed': 'a scan failed',
  'scan.finished': 'a scan finished',
  'finding.opened': 'a new finding',
  'finding.reopened': 'a finding was reopened',
  'finding.fixed': 'a finding was fixed',
  'finding.triaged': 'a finding was triaged',
};
export const CHANNEL_EVENTS = Object.keys(CHANNEL_EVENT_TEXTS) as ChannelEventKind[];

/** The selection that the API uses when a channel names no events. */
export const DEFAULT_CHANNEL_EVENTS: ReadonlySet<ChannelEventKind> = new Set([
  'integration.invalid',
  'integration.expiry_flagged',
  'integration.expired',
  'integration.rotation_lost',
  'sync.brake_engaged',
]);

/** `Action required`, `All events`, or `integration 4, sync 1`. */
export function summarizeEvents(events: readonly ChannelEventKind[]): string {
  const selected = new Set(events);
  const isDefault =
    selected.size === DEFAULT_CHANNEL_EVENTS.size &&
    [...selected].every((kind) => DEFAULT_CHANNEL_EVENTS.has(kind));
  if (isDefault) return 'Action required';
  if (CHANNEL_EVENTS.every((kind) => selected.has(kind))) return 'All events';
  const areas = Map.groupBy(selected, (kind) => kind.split('.')[0] ?? kind);
  return [...areas].map(([area, kinds]) => `${area} ${kinds.length}`).join(', ');
}
