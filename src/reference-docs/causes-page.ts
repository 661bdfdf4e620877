import type { Cause } from '../domain/causes.ts';
import { CAUSE_TEXTS, INVALID_CAUSES, REACHABILITY_CAUSES, SCAN_CAUSES } from '../domain/causes.ts';
import { DELIVERY_ADVICE } from '../domain/channel.ts';
import { CHECK_NAMES, DRY_RUN_CAUSES } from '../domain/dry-run-causes.ts';
import { markdownPage } from './page.ts';

const HEAD = ['| cause | what to do |', '| --- | --- |'];

export function causesPage(): string {
  return markdownPage('Causes and what to do', [
    '## The token does not work (`status: invalid`)',
    '',
    ...causeTable(INVALID_CAUSES),
    '',
    '## GitLab cannot be reached, or its answer is unusable (`reachability: unreachable`)',
    '',
    'The status does not change. Secu retries automatically: every 15 s for the first minute, then less and less often, at',
    'least every 10 minutes.',
    '',
    ...causeTable(REACHABILITY_CAUSES),
    '',
    '## A scan failed, was canceled or waits (`cause` of a scan)',
    '',
    'The findings of the last successful scan stay.',
    '',
    ...causeTable(SCAN_CAUSES),
    '',
    '## A message to a channel was not delivered (`cause` of a delivery)',
    '',
    ...HEAD,
    ...Object.entries(DELIVERY_ADVICE).map(([cause, advice]) => `| \`${cause}\` | ${advice} |`),
    '',
    '## Checks of a token test (`POST /api/v1/integrations/test`)',
    '',
    `Checks, in this order: ${CHECK_NAMES.map((name) => `\`${name}\``).join(', ')}. A cause that an integration would also show`,
    'makes the check fail; any other cause is a warning.',
    '',
    '| cause | shown as | what to do |',
    '| --- | --- | --- |',
    ...Object.entries(DRY_RUN_CAUSES).map(
      ([cause, { as, advice }]) => `| \`${cause}\` | ${as === null ? 'warning' : `\`${as}\``} | ${advice} |`,
    ),
  ]);
}

function causeTable(causes: readonly Cause[]): string[] {
  return [...HEAD, ...causes.map((cause) => `| \`${cause}\` | ${CAUSE_TEXTS[cause].advice} |`)];
}
