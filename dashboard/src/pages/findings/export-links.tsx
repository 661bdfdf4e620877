import { Anchor } from '@mantine/core';
import type { FindingSearch } from './filters.ts';
import { exportHref, isNarrowed, toApiQuery } from './filters.ts';
import classes from './findings.module.css';

type ExportFormat = Parameters<typeof exportHref>[1];
const FORMATS: Record<ExportFormat, string> = { csv: 'CSV', sarif: 'SARIF' };

/** Links to export everything that matches the filters, including rows that are not loaded. */
export function ExportLinks({ search, total }: { search: FindingSearch; total: number | null }) {
  const all = total === null ? 'all' : `all ${total.toLocaleString('en')}`;
  const which = isNarrowed(search) ? 'matching' : 'open';
  return (
    <span className={classes['export']}>
      Export {all} {which} findings:
      {(['csv', 'sarif'] as const).map((format) => (
        <Anchor
          key={format}
          size="xs"
          download
          href={exportHref(toApiQuery(search), format)}
          aria-label={`Export ${all} ${which} findings as ${FORMATS[format]}`}
        >
          {FORMATS[format]}
        </Anchor>
      ))}
    </span>
  );
}
