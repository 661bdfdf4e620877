import { Button, NativeSelect, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMemo } from 'react';
import { formatCount } from '../../format/labels.ts';
import { REPOSITORY_STATES, STATE_TEXTS } from '../../format/scan-labels.ts';
import { useShortcuts } from '../../keyboard/hotkeys.ts';
import { useRowCursor } from '../../keyboard/row-cursor.ts';
import { MAX_ROWS } from '../../lists/list-pages.ts';
import { parseList } from '../../lists/search-params.ts';
import { Chips } from '../../parts/chips.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { SearchField } from '../../parts/search-field.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import classes from './repositories.module.css';
import { COLUMNS, HEAD, NARROW_COLUMNS, RepositoryCells } from './repository-cells.tsx';
import type { RepositoryFilter, RepositorySort } from './repository-data.ts';
import { SORTS } from './repository-data.ts';
import { useRepositoryList } from './use-repository-list.ts';

export type RepositorySearch = { state?: string; q?: string; sort?: string };

const SORT_TEXTS: Record<RepositorySort, string> = {
  fullPath: 'By path',
  '-fullPath': 'By path, descending',
  '-lastActivityAt': 'Latest activity first',
  lastActivityAt: 'Oldest activity first',
};

export interface RepositoryTableProps {
  /** Limits the list to one integration. */
  integrationId?: string | undefined;
  search: RepositorySearch;
  onSearch: (next: RepositorySearch) => void;
  /** Number of repositories by state, where known. */
  stateCounts?: Partial<Record<(typeof REPOSITORY_STATES)[number], number>>;
  /** Additional filters. */
  children?: ReactNode;
  /** Clears every filter, including those of `children`. */
  onClear?: () => void;
  isFiltered?: boolean;
  /** Height of the page above the list, in pixels. */
  above?: number;
}

function filterOf({ integrationId, search }: RepositoryTableProps): RepositoryFilter {
  const state = parseList(search.state, REPOSITORY_STATES).join();
  const sort = SORTS.find((each) => each === search.sort && each !== 'fullPath');
  return {
    ...(integrationId === undefined ? {} : { integrationId }),
    ...(state === '' ? {} : { state }),
    ...(search.q === undefined ? {} : { q: search.q }),
    ...(sort === undefined ? {} : { sort }),
  };
}

/** Repositories with their filters; used by the page of repositories and the tab of an integration. */
export function RepositoryTable(props: RepositoryTableProps) {
  const { search, onSearch, above } = props;
  const filter = filterOf(props);
  const { list, rows, added, showNew } = useRepositoryList(filter);
  const ids = useMemo(() => rows.map(({ id }) => id), [rows]);
  const { cursor, step } = useRowCursor(ids);
  const navigate = useNavigate();
  useShortcuts({
    j: () => void step(1),
    k: () => void step(-1),
    ArrowDown: () => void step(1),
    ArrowUp: () => void step(-1),
    Enter: () => {
      if (cursor.id !== null) void navigate({ to: '/repositories/$id', params: { id: cursor.id } });
    },
  });
  const isFiltered = props.isFiltered === true || search.state !== undefined || search.q !== undefined;
  const clear = props.onClear ?? (() => onSearch({}));
  return (
    <>
      <Filters {...props} onClear={isFiltered ? clear : undefined} />
      {list.isError && <ProblemPanel error={list.error} onRetry={() => void list.refetch()} />}
      <div className={classes['line']}>
        {rows.length > 0 && <span role="status">{loadedText(rows.length, list.hasNextPage)}</span>}
        {added > 0 && rows.length > 0 && (
          <Button size="compact-xs" variant="light" onClick={() => void showNew()}>
            Show {added.toLocaleString('en')} new
          </Button>
        )}
      </div>
      {list.isPending && <LoadingRows rows={12} label="Loading the repositories" />}
      {list.isSuccess && rows.length === 0 && <NoRepositories isFiltered={isFiltered} onClear={clear} />}
      {rows.length > 0 && (
        <VirtualList
          label="Repositories"
          rows={rows}
          total={list.hasNextPage ? null : rows.length}
          columns={COLUMNS}
          narrowColumns={NARROW_COLUMNS}
          head={HEAD}
          cells={(repository) => <RepositoryCells repository={repository} />}
          cursor={cursor}
          busy={list.isPlaceholderData}
          hasMore={list.hasNextPage && !list.isFetchingNextPage && !list.isError}
          onMore={() => void list.fetchNextPage({ cancelRefetch: false })}
          foot={
            rows.length >= MAX_ROWS
              ? `Showing the first ${MAX_ROWS.toLocaleString('en')}. Use the filters to find others.`
              : undefined
          }
          {...(above === undefined ? {} : { above })}
        />
      )}
    </>
  );
}

function loadedText(loaded: number, hasMore: boolean): string {
  return hasMore
    ? `First ${loaded.toLocaleString('en')} repositories`
    : formatCount(loaded, 'repository', 'repositories');
}

function Filters({
  search,
  onSearch,
  stateCounts,
  children,
  onClear,
}: Omit<RepositoryTableProps, 'onClear'> & { onClear: (() => void) | undefined }) {
  const { q: _q, ...others } = search;
  const { state: _state, ...stateless } = search;
  const { sort: _sort, ...sortless } = search;
  return (
    <div className={classes['filters']}>
      <SearchField
        label="Search repositories"
        value={search.q ?? ''}
        onSearch={(q) => onSearch(q === '' ? others : { ...others, q })}
      />
      {children}
      <Chips
        label="State"
        labelled
        options={REPOSITORY_STATES.map((value) => ({
          value,
          text: STATE_TEXTS[value],
          count: stateCounts?.[value],
        }))}
        selected={parseList(search.state, REPOSITORY_STATES)}
        onChange={(chosen) => {
          const state = parseList(chosen.join(), REPOSITORY_STATES).join();
          onSearch(state === '' ? stateless : { ...stateless, state });
        }}
      />
      <NativeSelect
        aria-label="Sort by"
        size="xs"
        value={SORTS.find((sort) => sort === search.sort) ?? 'fullPath'}
        onChange={({ currentTarget: { value } }) =>
          onSearch(value === 'fullPath' ? sortless : { ...sortless, sort: value })
        }
        data={SORTS.map((value) => ({ value, label: SORT_TEXTS[value] }))}
      />
      {onClear !== undefined && (
        <Button variant="subtle" onClick={onClear}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

function NoRepositories({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered)
    return (
      <Empty title="No repositories match these filters">
        <Button variant="default" onClick={onClear}>
          Clear filters
        </Button>
      </Empty>
    );
  return (
    <Empty title="No repositories yet">
      <Text size="sm" c="dimmed">
        Repositories appear after the first sync of an integration.
      </Text>
    </Empty>
  );
}
