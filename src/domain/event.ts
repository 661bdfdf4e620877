/** Kinds of stored events. Background syncs are stored only when they changed something or failed. */
export const EVENT_KINDS = [
  'integration.created',
  'integration.verified',
  'integration.invalid',
  'integration.unreachable',
  'integration.recovered',
  'integration.token_replaced',
  'integration.token_refused',
  'integration.rotated',
  'integration.rotation_failed',
  'integration.rotation_lost',
  'integration.expiry_flagged',
  'integration.expired',
  'integration.paused',
  'integration.resumed',
  'integration.removed',
  'integration.reach_changed',
  'sync.started',
  'sync.finished',
  'sync.failed',
  'sync.brake_engaged',
  'repository.added',
  'repository.renamed',
  'repository.excluded',
  'repository.missing',
  'repository.returned',
  'repository.removed',
  'scan.finished',
  'scan.failed',
  'finding.opened',
  'finding.fixed',
  'finding.reopened',
  'finding.triaged',
  'notification.sent',
  'notification.failed',
  'api_key.created',
  'api_key.removed',
  'auth.setup_link_made',
  'auth.set_up',
  'auth.signed_in',
  'auth.sign_in_failed',
  'auth.signed_out',
  'user.created',
  'user.changed',
  'user.password_changed',
  'user.removed',
  'channel.created',
  'channel.changed',
  'channel.removed',
  'channel.tested',
  'channel.delivery_retried',
  'channel.switched_off',
  'export.made',
  'settings.integration_changed',
  'settings.hook_token_created',
  'settings.hook_token_removed',
  'request.verify',
  'request.sync',
  'request.brake_release',
  'request.scan',
  'request.scan_cancel',
  'request.token_replacement',
  'request.rotation',
  'request.removal',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Areas of audit events: the part of the kind before the dot. */
const AUDIT_AREAS = [
  'auth',
  'user',
  'api_key',
  'channel',
  'keyring',
  'settings',
  'request',
  'export',
] as const;
export type AuditKind = Extract<EventKind, `${(typeof AUDIT_AREAS)[number]}.${string}`>;

/** Streamed to connected clients, never stored. */
export const LIVE_KINDS = ['scan.queued', 'scan.started', 'scan.progress'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

/** True for audit events, which only administrators see. */
export function isAuditKind(kind: string): boolean {
  return AUDIT_AREAS.some((area) => kind.startsWith(`${area}.`));
}

export interface NewEvent {
  kind: EventKind;
  integrationId: string | null;
  repositoryId?: string | null;
  /** `system`, `key:<name>` or `user:<name>`; `nobody` if the actor is unknown. */
  actor: string;
  text: string;
  data?: Record<string, unknown>;
}

/** A live event travels by NOTIFY, so it must stay under 8000 bytes. */
export interface LiveEvent {
  kind: LiveKind;
  at: string;
  integrationId: string;
  /** `null` when the event concerns several repositories. */
  repositoryId: string | null;
  data: Record<string, unknown>;
}
