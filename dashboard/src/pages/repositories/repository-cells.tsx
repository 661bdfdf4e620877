import { Badge } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { SEVERITIES, SEVERITY_LABELS } from '../../format/labels.ts';
import { repositoryLabel } from '../../format/scan-labels.ts';
import { LabelBadge } from '../../parts/badges.tsx';
import { RowTime } from '../../parts/row-time.tsx';
import { Cell } from '../../parts/virtual-list.tsx';
import classes from './repositories.module.css';
import type { Repository } from './repository-data.ts';

export const COLUMNS = 'minmax(0, 2fr) minmax(0, 190px) 64px 104px 128px minmax(0, 1fr)';
export const NARROW_COLUMNS = 'minmax(0, 1fr) 128px';
export const HEAD = [
  'Repository',
  'State',
  'Commit',
  'Scanned',
  'Open findings',
  'Missing scanners',
] as const;

/** The cells of a repository; two lines on narrow screens. */
export function RepositoryCells({ repository }: { repository: Repository }) {
  const { id, fullPath, lastScan, counts } = repository;
  return (
    <>
      <Cell title={fullPath}>
        <Link to="/repositories/$id" params={{ id }} className={classes['open']} tabIndex={-1}>
          {fullPath}
        </Link>
      </Cell>
      <Cell>
        <LabelBadge label={repositoryLabel(repository)} />
      </Cell>
      <Cell className={`${classes['mono']} ${classes['wide']}`}>{lastScan?.commit?.slice(0, 7)}</Cell>
      <Cell className={classes['dim']}>
        {lastScan?.finishedAt ? <RowTime at={lastScan.finishedAt} /> : ''}
      </Cell>
      <Cell>{isKnown(repository) ? <SeverityCounts counts={counts} /> : '–'}</Cell>
      <Cell className={classes['wide']}>
        {lastScan?.missingScanners.map((name) => (
          <Badge key={name} color="warn" mr={4}>
            {name}
          </Badge>
        ))}
      </Cell>
    </>
  );
}

/** Without a successful scan, zero open findings would be misleading. */
function isKnown({ lastScan, counts }: Repository): boolean {
  return counts.open > 0 || lastScan?.status === 'succeeded';
}

/** Open findings by severity: `C 1 H 2 M 0 L 0`. */
export function SeverityCounts({ counts }: { counts: Repository['counts'] }) {
  return (
    <span className={classes['counts']}>
      {SEVERITIES.map((severity) => (
        <span
          key={severity}
          title={`${counts[severity]} ${severity}`}
          className={counts[severity] === 0 ? classes['none'] : undefined}
        >
          <span
            className={classes['letter']}
            style={counts[severity] === 0 ? undefined : { color: `var(--mantine-color-${severity}-text)` }}
          >
            {SEVERITY_LABELS[severity].letter}
          </span>{' '}
          {counts[severity]}
        </span>
      ))}
    </span>
  );
}
