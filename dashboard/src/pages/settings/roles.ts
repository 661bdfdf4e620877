import type { Role } from '../../api/types.ts';

export interface RoleText {
  text: string;
  permissions: string;
}

export const ROLE_TEXTS: Record<Role, RoleText> = {
  viewer: {
    text: 'Viewer',
    permissions: 'Can read everything except channels, API keys, users and the audit log.',
  },
  operator: {
    text: 'Operator',
    permissions: 'Can also add, verify, sync and scan integrations, replace tokens and triage findings.',
  },
  admin: {
    text: 'Admin',
    permissions: 'Can also rotate tokens, remove integrations, accept removals and manage Secu.',
  },
};
