import { Anchor } from '@mantine/core';
import type { FindingSearch } from './filters.ts';
import { exportHref, isNarrowed, toApiQuery } from './filters.ts';
import classes from './findings.module.css';

const FORMATS = { csv: 'CSV', sarif: 'SARIF' } as const;

/** All that the filters show, also what is not loaded, as a file. */
export function ExportLinks({ search, total }: { search: FindingSearch; total: number | null }) {
  const all = total === null ? 'all' : `all ${total.toLocaleString('en')}`;
  const which = isNarrowed(search) ? 'that match the filters' : 'that are open';
  return (
    <span className={classes['export']}>
      Export {all} {which}:
      {(['csv', 'sarif'] as const).map((format) => (
        <Anchor
          key={format}
          size="xs"
          download
          href={exportHref(toApiQuery(search), format)}
          aria-label={`Export ${all} ${which} as ${FORMATS[format]}`}
        >
          {FORMATS[format]}
        </Anchor>
      ))}
    </span>
  );
}
