/** What administrators are told of who did what, by area; a test holds it to the server's list. */
export const AUDIT_AREAS = {
  auth: {
    text: 'Signing in',
    kinds: [
      'auth.setup_link_made',
      'auth.set_up',
      'auth.signed_in',
      'auth.sign_in_failed',
      'auth.signed_out',
    ],
  },
  user: {
    text: 'Users',
    kinds: ['user.created', 'user.changed', 'user.password_changed', 'user.removed'],
  },
  api_key: { text: 'API keys', kinds: ['api_key.created', 'api_key.removed'] },
  channel: {
    text: 'Channels',
    kinds: [
      'channel.created',
      'channel.changed',
      'channel.removed',
      'channel.tested',
      'channel.delivery_retried',
      'channel.switched_off',
    ],
  },
  export: { text: 'Exports', kinds: ['export.made'] },
} as const;

export type AuditArea = keyof typeof AUDIT_AREAS;
export const AREAS = Object.keys(AUDIT_AREAS) as AuditArea[];

/** The kinds of these areas; of none of them, all. */
export function auditKinds(areas: readonly AuditArea[]): string[] {
  return (areas.length === 0 ? AREAS : areas).flatMap((area) => AUDIT_AREAS[area].kinds);
}

/** A text of an event's data, such as `address`; events keep what they like there. */
export function textField(data: Record<string, unknown>, name: string): string | null {
  const value = data[name];
  return typeof value === 'string' ? value : null;
}
