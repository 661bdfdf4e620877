import { queryOptions } from '@tanstack/react-query';
import type { Label } from '../../../format/labels.ts';

interface Ready {
  status: string;
  checks: Record<string, boolean>;
}

const EVERY_MS = 30_000;

/** The parts of Secu as `/readyz` sees them. It answers the same with 503 while something needed is missing. */
export const readyQuery = queryOptions({
  queryKey: ['ready'],
  queryFn: async () => (await (await fetch('/readyz')).json()) as Ready,
  refetchInterval: EVERY_MS,
});

export function healthLabel(works: boolean): Label {
  return works ? { text: 'Works', hue: 'ok' } : { text: 'Does not work', hue: 'bad' };
}

const PARTS: Record<string, string> = {
  database: 'Database',
  migrations: 'Schema of the database',
  temporal: 'Temporal',
  workers: 'Workers for every queue',
};

export function componentName(name: string): string {
  return PARTS[name] ?? name;
}

const TOOLS: Record<string, Label> = {
  ok: { text: 'Installed', hue: 'ok' },
  failed: { text: 'Failed', hue: 'bad' },
  unavailable: { text: 'Not installed', hue: 'warn' },
  off: { text: 'Off', hue: 'neutral' },
};

export function toolStatusLabel(status: string): Label {
  return TOOLS[status] ?? { text: status, hue: 'neutral' };
}
