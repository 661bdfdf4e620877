import { Button, Checkbox, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { formatCount } from '../../format/labels.ts';
import type { RowCursor } from '../../keyboard/row-cursor.ts';
import { MAX_ROWS } from '../../lists/list-pages.ts';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { BulkBar } from './bulk-bar.tsx';
import { ExportLinks } from './export-links.tsx';
import type { FindingSearch } from './filters.ts';
import { isNarrowed } from './filters.ts';
import { COLUMNS, FindingCells, NARROW_COLUMNS } from './finding-cells.tsx';
import type { Finding } from './finding-data.ts';
import classes from './findings.module.css';
import type { useFindingList } from './use-finding-list.ts';
import type { useSelection } from './use-selection.ts';
import type { TriageFlow } from './use-triage-flow.ts';

export interface FindingListProps {
  search: FindingSearch;
  findings: ReturnType<typeof useFindingList>;
  total: number | null;
  cursor: RowCursor;
  selection: ReturnType<typeof useSelection>;
  /** `null` if the role may not triage. */
  flow: TriageFlow | null;
  onOpen: (id: string) => void;
  onClear: () => void;
}

export function FindingList(props: FindingListProps) {
  const { search, findings, total, onClear } = props;
  const { list, rows, newCount, showNew } = findings;
  return (
    <>
      {list.isError && <ProblemPanel error={list.error} onRetry={() => void list.refetch()} />}
      <div className={classes['line']}>
        {rows.length > 0 && total !== null && (
          <span role="status">
            {rows.length.toLocaleString('en')} of {formatCount(total, 'finding')}
          </span>
        )}
        {rows.length > 0 && <ExportLinks search={search} total={total} />}
        {newCount > 0 && rows.length > 0 && (
          <Button size="compact-xs" variant="light" onClick={() => void showNew()}>
            Show {newCount.toLocaleString('en')} new
          </Button>
        )}
        <UnscannedNotice search={search} />
      </div>
      {list.isPending && <LoadingRows rows={12} label="Loading the findings" />}
      {list.isSuccess && rows.length === 0 && <NoFindings search={search} onClear={onClear} />}
      {rows.length > 0 && <Rows {...props} />}
    </>
  );
}

function Rows({ search, findings, total, cursor, selection, flow, onOpen }: FindingListProps) {
  const { list, rows } = findings;
  const { ids, all } = selection.current;
  return (
    <>
      <VirtualList
        label="Findings"
        rows={rows}
        total={total}
        columns={COLUMNS}
        narrowColumns={NARROW_COLUMNS}
        head={[
          flow === null ? '' : <SelectAll key="all" rows={rows} selection={selection} />,
          'Severity',
          'Finding',
          'Repository',
          'First seen',
        ]}
        cells={(finding) => (
          <FindingCells
            finding={finding}
            search={search}
            selected={ids.has(finding.id)}
            onOpen={onOpen}
            onSelect={flow === null ? null : selection.select}
            onUndo={flow === null ? null : flow.undo}
          />
        )}
        cursor={cursor}
        selected={ids}
        busy={list.isPlaceholderData}
        hasMore={list.hasNextPage && !list.isFetchingNextPage && !list.isError}
        onMore={() => void list.fetchNextPage({ cancelRefetch: false })}
        above={236}
        foot={
          rows.length >= MAX_ROWS
            ? `Showing the first ${MAX_ROWS.toLocaleString('en')}. Use the filters to find others, or export all.`
            : undefined
        }
      />
      {flow !== null && ids.size > 0 && (
        <BulkBar
          selected={ids.size}
          total={total}
          all={all}
          onAll={() => selection.selectMany([...ids], true)}
          onReason={(reason) => flow.triageSelection({ reason })}
          onMore={flow.openDialogForSelection}
          onReopen={() => flow.triageSelection(null)}
          onClear={selection.clear}
        />
      )}
    </>
  );
}

function SelectAll({
  rows,
  selection,
}: {
  rows: readonly Finding[];
  selection: FindingListProps['selection'];
}) {
  const { ids } = selection.current;
  const isAllSelected = rows.length > 0 && ids.size >= rows.length;
  return (
    <Checkbox
      size="xs"
      aria-label="Select all loaded findings"
      checked={isAllSelected}
      indeterminate={ids.size > 0 && !isAllSelected}
      onChange={() => selection.selectMany(isAllSelected ? [] : rows.map(({ id }) => id), false)}
    />
  );
}

const overviewQuery = { queryKey: queryKeys.overview, queryFn: () => request(api.overview.$get()) };

/** Warns about repositories whose last scan failed: their findings are unknown. */
function UnscannedNotice({ search }: { search: FindingSearch }) {
  const { data } = useQuery(overviewQuery);
  const failed = data?.freshness.failed ?? 0;
  if (failed === 0 || search.repository !== undefined || search.integration !== undefined) return null;
  return (
    <Text size="xs" c="warn" component="span">
      {formatCount(failed, 'repository', 'repositories')} could not be scanned. Findings there are unknown.{' '}
      <TextLink to="/repositories" size="xs">
        Repositories
      </TextLink>
    </Text>
  );
}

function NoFindings({ search, onClear }: { search: FindingSearch; onClear: () => void }) {
  const { data } = useQuery(overviewQuery);
  if (isNarrowed(search))
    return (
      <Empty title="No findings match these filters">
        <Button variant="default" onClick={onClear}>
          Clear filters
        </Button>
      </Empty>
    );
  const freshness = data?.freshness;
  const scanned = freshness === undefined ? 0 : freshness.repositories - freshness.never;
  return (
    <Empty title="No open findings">
      <Text size="sm" c="dimmed">
        {freshness !== undefined &&
          `${scanned.toLocaleString('en')} of ${formatCount(freshness.repositories, 'repository', 'repositories')} scanned.`}
      </Text>
    </Empty>
  );
}
