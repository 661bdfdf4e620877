import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { DemoResult } from './compare.ts';

const Steps = z.object({ steps: z.array(z.object({ name: z.string(), ms: z.number() })) });
export type Step = z.infer<typeof Steps>['steps'][number];

/** The steps of the launcher, with their times. */
export function launcherSteps(file: string | undefined): Step[] {
  if (file === undefined || !existsSync(file)) return [];
  return Steps.parse(JSON.parse(readFileSync(file, 'utf8'))).steps;
}

/** The result of a demo as a text table. */
export function summaryTable({ result, steps }: { result: DemoResult; steps: readonly Step[] }): string {
  const head = ['repository', 'state', 'scan', 'expected', 'found', 'missed', 'invented', ''];
  const rows = result.repositories.map((one) => [
    one.path,
    one.state,
    one.scan,
    String(one.expected),
    String(one.found),
    String(one.missed.length),
    String(one.invented.length),
    one.problem ?? '',
  ]);
  const widths = head.map((_, index) => Math.max(...[head, ...rows].map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const wrong = result.repositories.flatMap((one) => [
    ...one.missed.map((place) => `missed    ${one.path} ${place}`),
    ...one.invented.map((place) => `invented  ${one.path} ${place}`),
  ]);
  return [
    '',
    line(head),
    ...rows.map(line),
    '',
    ...wrong,
    `${result.expected} expected, ${result.found} found, ${result.missed} missed, ${result.invented} invented: ${result.ok ? 'every expectation is met' : 'NOT as expected'}`,
    `time: ${steps.map((step) => `${step.name} ${(step.ms / 1_000).toFixed(1)} s`).join(' · ')}`,
  ].join('\n');
}
