import { queryOptions } from '@tanstack/react-query';
import type { KeyState, ToolStatus } from '../../../api/types.ts';
import type { Label } from '../../../format/labels.ts';

interface Readiness {
  status: string;
  checks: Record<string, 'ok' | 'failed'>;
}

const REFETCH_INTERVAL_MS = 30_000;

/** The answer of `/readyz`. It has the same body with status 503 while a required component fails. */
export const readyQuery = queryOptions({
  queryKey: ['ready'],
  queryFn: async () => (await (await fetch('/readyz')).json()) as Readiness,
  refetchInterval: REFETCH_INTERVAL_MS,
});

export const HEALTH_LABELS: Record<'ok' | 'failed', Label> = {
  ok: { text: 'OK', hue: 'ok' },
  failed: { text: 'Failing', hue: 'bad' },
};

const COMPONENTS: Partial<Record<string, string>> = {
  database: 'Database',
  migrations: 'Database schema',
  temporal: 'Temporal',
  workers: 'Workers for every queue',
};

export function componentName(name: string): string {
  return COMPONENTS[name] ?? name;
}

export const TOOL_STATUS_LABELS: Record<ToolStatus, Label> = {
  ok: { text: 'Installed', hue: 'ok' },
  failed: { text: 'Failed', hue: 'bad' },
  unavailable: { text: 'Not installed', hue: 'warn' },
  off: { text: 'Off', hue: 'neutral' },
};

export const KEY_STATE_TEXTS: Record<KeyState, string> = {
  seals: 'Encrypts and decrypts',
  opens: 'Decrypts only',
};
