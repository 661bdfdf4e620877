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
import classes from './findings.module.css';
import type { useFindingList } from './use-finding-list.ts';
import type { useSelection } from './use-selection.ts';
import type { TriageFlow } from './use-triage-flow.ts';

export interface FindingListProps {
  search: FindingSearch;
  found: ReturnType<typeof useFindingList>;
  total: number | null;
  cursor: RowCursor;
  picked: ReturnType<typeof useSelection>;
  /** `null` where the role may not triage. */
  flow: TriageFlow | null;
  onOpen: (id: string) => void;
  onClear: () => void;
}

export function FindingList(props: FindingListProps) {
  const { search, found, total, onClear } = props;
  const { list, rows, news, showNew } = found;
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
        {news > 0 && rows.length > 0 && (
          <Button size="compact-xs" variant="light" onClick={() => void showNew()}>
            {news.toLocaleString('en')} new, show
          </Button>
        )}
        <UnscannedNotice search={search} />
      </div>
      {list.isPending && <LoadingRows rows={12} label="The findings are on their way" />}
      {list.isSuccess && rows.length === 0 && <NoFindings search={search} onClear={onClear} />}
      {rows.length > 0 && <Rows {...props} />}
    </>
  );
}

function Rows({ search, found, total, cursor, picked, flow, onOpen }: FindingListProps) {
  const { list, rows } = found;
  const { ids, all } = picked.selection;
  const everyone = rows.length > 0 && ids.size >= rows.length;
  return (
    <>
      <VirtualList
        label="Findings"
        rows={rows}
        total={total}
        columns={COLUMNS}
        narrowColumns={NARROW_COLUMNS}
        head={[
          flow === null ? (
            ''
          ) : (
            <Checkbox
              key="all"
              size="xs"
              aria-label="Select all that are loaded"
              checked={everyone}
              indeterminate={ids.size > 0 && !everyone}
              onChange={() => picked.selectMany(everyone ? [] : rows.map(({ id }) => id), false)}
            />
          ),
          'Severity',
          'Finding',
          'Repository',
          'Found',
        ]}
        cells={(finding) => (
          <FindingCells
            finding={finding}
            search={search}
            selected={ids.has(finding.id)}
            onOpen={onOpen}
            onSelect={flow === null ? null : picked.select}
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
            ? `The first ${MAX_ROWS.toLocaleString('en')} are shown. Narrow the filter to see others, or export them.`
            : undefined
        }
      />
      {flow !== null && ids.size > 0 && (
        <BulkBar
          selected={ids.size}
          total={total}
          all={all}
          onAll={() => picked.selectMany([...ids], true)}
          onReason={(reason) => flow.wish({ reason })}
          onMore={flow.askTargets}
          onReopen={() => flow.wish(null)}
          onClear={picked.clear}
        />
      )}
    </>
  );
}

const overview = { queryKey: queryKeys.overview, queryFn: () => request(api.overview.$get()) };

/** What no list can show: repositories of which nothing is known. */
function UnscannedNotice({ search }: { search: FindingSearch }) {
  const { data } = useQuery(overview);
  const failed = data?.freshness.failed ?? 0;
  if (failed === 0 || search.repository !== undefined || search.integration !== undefined) return null;
  return (
    <Text size="xs" c="warn" component="span">
      {formatCount(failed, 'repository', 'repositories')} could not be scanned; findings there are unknown.{' '}
      <TextLink to="/repositories" size="xs">
        Repositories
      </TextLink>
    </Text>
  );
}

function NoFindings({ search, onClear }: { search: FindingSearch; onClear: () => void }) {
  const { data } = useQuery(overview);
  if (isNarrowed(search))
    return (
      <Empty title="No finding matches.">
        <Button variant="default" onClick={onClear}>
          Clear the filters
        </Button>
      </Empty>
    );
  const fresh = data?.freshness;
  const scanned = fresh === undefined ? 0 : fresh.repositories - fresh.never;
  return (
    <Empty title="No open findings.">
      <Text size="sm" c="dimmed">
        {fresh !== undefined &&
          `${scanned.toLocaleString('en')} of ${formatCount(fresh.repositories, 'repository', 'repositories')} scanned.`}
      </Text>
    </Empty>
  );
}
