import { settingsTable } from '../config/settings.ts';
import { markdownPage } from './page.ts';

export function settingsPage(): string {
  const rows = settingsTable().map((row) => `| \`${row.name}\` | ${row.default} | ${row.meaning} |`);
  return markdownPage('Settings', [
    'Secu reads its settings once at start, from the environment and from `.env`. All invalid values are reported at once.',
    'Every secret can also be given as a file, with `NAME_FILE`. Durations are written `15m`, sizes `2GiB`; an interval of `0`',
    'switches that activity off.',
    '',
    '| name | default | meaning |',
    '| --- | --- | --- |',
    ...rows,
  ]);
}
