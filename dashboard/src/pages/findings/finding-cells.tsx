import { Anchor, Badge, Checkbox } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { SeverityBadge } from '../../parts/badges.tsx';
import { RowTime } from '../../parts/row-time.tsx';
import { Cell } from '../../parts/virtual-list.tsx';
import type { FindingSearch } from './filters.ts';
import type { Finding } from './finding-data.ts';
import { locationText, statusLabel } from './finding-labels.ts';
import classes from './findings.module.css';

export const COLUMNS = '20px 84px minmax(0, 3fr) minmax(0, 1fr) 104px';
export const NARROW_COLUMNS = '20px 84px minmax(0, 1fr)';

export interface FindingCellsProps {
  finding: Finding;
  search: FindingSearch;
  selected: boolean;
  onOpen: (id: string) => void;
  /** `null` if the role may not triage. */
  onSelect: ((id: string, selected: boolean) => void) | null;
  onUndo: ((finding: Finding) => void) | null;
}

/** The cells of a finding; two lines on narrow screens. */
export function FindingCells({ finding, search, selected, onOpen, onSelect, onUndo }: FindingCellsProps) {
  const { id, severity, title, repositoryPath, status, firstSeenAt } = finding;
  const statusFilter = search.status ?? 'open';
  const leftFilter = !statusFilter.split(',').includes(status);
  return (
    <>
      <Cell className={classes['check']}>
        {onSelect !== null && (
          <Checkbox
            size="xs"
            tabIndex={-1}
            aria-label={`Select ${title}`}
            checked={selected}
            onChange={(event) => onSelect(id, event.currentTarget.checked)}
          />
        )}
      </Cell>
      <Cell>
        <SeverityBadge severity={severity} />
      </Cell>
      <Cell className={classes['title']}>
        <Link
          to="/findings"
          search={{ ...search, finding: id }}
          replace={search.finding !== undefined}
          resetScroll={false}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            onOpen(id);
          }}
          tabIndex={-1}
          className={classes['open']}
          data-closed={status !== 'open'}
        >
          {title} <span className={classes['location']}>in {locationText(finding)}</span>
        </Link>
        {status !== 'open' && <Badge className={classes['state']}>{statusLabel(finding).text}</Badge>}
        {leftFilter && status === 'ignored' && onUndo !== null && (
          <Anchor
            component="button"
            type="button"
            size="xs"
            tabIndex={-1}
            className={classes['undo']}
            onClick={() => onUndo(finding)}
          >
            Undo
          </Anchor>
        )}
      </Cell>
      <Cell className={classes['repository']} title={repositoryPath}>
        {repositoryPath.split('/').at(-1)}
      </Cell>
      <Cell className={classes['age']}>
        <RowTime at={firstSeenAt} />
      </Cell>
    </>
  );
}
