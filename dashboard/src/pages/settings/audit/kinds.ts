import type { AuditKind } from '../../../api/types.ts';

type AreaOf<K extends string> = K extends `${infer Area}.${string}` ? Area : never;
export type AuditArea = AreaOf<AuditKind>;

export const AREA_TEXTS: Record<AuditArea, string> = {
  auth: 'Sign-in',
  user: 'Users',
  api_key: 'API keys',
  channel: 'Channels',
  export: 'Exports',
  settings: 'Settings',
  request: 'Requests',
};
export const AREAS = Object.keys(AREA_TEXTS) as AuditArea[];

const KINDS: Record<AuditKind, true> = {
  'auth.setup_link_made': true,
  'auth.set_up': true,
  'auth.signed_in': true,
  'auth.sign_in_failed': true,
  'auth.signed_out': true,
  'user.created': true,
  'user.changed': true,
  'user.password_changed': true,
  'user.removed': true,
  'api_key.created': true,
  'api_key.removed': true,
  'channel.created': true,
  'channel.changed': true,
  'channel.removed': true,
  'channel.tested': true,
  'channel.delivery_retried': true,
  'channel.switched_off': true,
  'export.made': true,
  'settings.integration_changed': true,
  'settings.hook_token_created': true,
  'settings.hook_token_removed': true,
  'request.verify': true,
  'request.sync': true,
  'request.brake_release': true,
  'request.scan': true,
  'request.scan_cancel': true,
  'request.token_replacement': true,
  'request.rotation': true,
  'request.removal': true,
};

/** The kinds of these areas; without areas, all kinds. */
export function auditKinds(areas: readonly AuditArea[]): string[] {
  const kinds = Object.keys(KINDS);
  if (areas.length === 0) return kinds;
  return kinds.filter((kind) => areas.some((area) => kind.startsWith(`${area}.`)));
}

/** A string from an event's data, such as `address`; `null` for anything else. */
export function textField(data: Record<string, unknown>, name: string): string | null {
  const value = data[name];
  return typeof value === 'string' ? value : null;
}
