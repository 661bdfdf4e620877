import type { Registry } from '@prometheus-io/client';
import { Gauge } from '@prometheus-io/client';
import type { Isolation } from '../domain/isolation.ts';
import { ISOLATION_LEVELS, PROTECTED } from '../domain/isolation.ts';

const NAME = 'secu_scanner_isolation';
const SAMPLE = new RegExp(`^${NAME}\\{isolation="(\\w+)",reachable="([\\w,]*)"\\} 1$`, 'm');

/** Shows the isolation of this worker as a metric, which also tells the API about it. */
export function addIsolationGauge(registry: Registry, { level, reachable }: Isolation): void {
  new Gauge({
    name: NAME,
    help: 'How git and scanners are isolated on this worker, and what scanners can reach; always 1.',
    labelNames: ['isolation', 'reachable'],
    registers: [registry],
  }).set({ isolation: level, reachable: reachable.join(',') }, 1);
}

/** The isolation in the metrics of a worker; `null` if it runs no scanners. */
export function isolationIn(metrics: string): Isolation | null {
  const [, shown = '', reachable = ''] = SAMPLE.exec(metrics) ?? [];
  const level = ISOLATION_LEVELS.find((name) => name === shown);
  if (level === undefined) return null;
  const words = reachable.split(',');
  return { level, reachable: PROTECTED.filter((name) => words.includes(name)) };
}
