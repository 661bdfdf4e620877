// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed one by one are no table for CSS
// biome-ignore-all lint/a11y/useFocusableInteractive: cells are read, rows take the focus
import { useElementScrollRestoration } from '@tanstack/react-router';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import type { CSSProperties, ReactNode } from 'react';
import { useEffect, useRef } from 'react';
import type { RowCursor } from '../keyboard/row-cursor.ts';
import { useNarrow } from './use-narrow.ts';
import classes from './virtual-list.module.css';

const ROW_PX = 36;
const NARROW_ROW_PX = 56;
/** How near the end more is asked for. */
const LOAD_MORE_THRESHOLD_ROWS = 20;

export interface VirtualListProps<T extends { id: string }> {
  /** What it is a list of, for screen readers; also the name under which its scroll place is kept. */
  label: string;
  rows: readonly T[];
  /** Rows in all where that is known. */
  total: number | null;
  /** Widths of the columns, as CSS has them; on a narrow screen a row has two lines. */
  columns: string;
  narrowColumns: string;
  head: readonly ReactNode[];
  /** The cells of a row, each with the role of a cell. */
  cells: (row: T) => ReactNode;
  cursor: RowCursor;
  selected?: ReadonlySet<string>;
  busy?: boolean;
  hasMore: boolean;
  onMore: () => void;
  foot?: ReactNode;
  /** Pixels of the window that are not the list's. */
  above?: number;
}

/** A cell of a row. */
export function Cell({
  children,
  ...rest
}: {
  children?: ReactNode;
  className?: string | undefined;
  title?: string;
}) {
  return (
    <div role="cell" {...rest}>
      {children}
    </div>
  );
}

/** A table of many rows of one height, of which those in view are there. */
export function VirtualList<T extends { id: string }>(props: VirtualListProps<T>) {
  const { label, rows, total, head, cursor, selected, columns, narrowColumns, above } = props;
  const { box, virtual } = useVirtualRows(props);
  const style = {
    '--columns': columns,
    '--columns-narrow': narrowColumns,
    ...(above === undefined ? {} : { '--above': `${above}px` }),
  } as CSSProperties;
  return (
    <div
      ref={box}
      className={classes['box']}
      style={style}
      role="table"
      aria-label={label}
      aria-rowcount={total === null ? -1 : total + 1}
      aria-busy={props.busy === true}
      data-scroll-restoration-id={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by keyboard
      tabIndex={0}
    >
      <div role="rowgroup" className={classes['head']}>
        <div role="row" aria-rowindex={1} className={classes['line']} style={{ height: 32 }}>
          {head.map((title, column) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the columns never change their places
            <div role="columnheader" key={column}>
              {title}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={classes['body']} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start, size }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const active = row.id === cursor.id;
          return (
            <div
              key={row.id}
              role="row"
              aria-rowindex={index + 2}
              aria-selected={selected === undefined ? undefined : selected.has(row.id)}
              data-active={active}
              data-row={row.id}
              tabIndex={active ? 0 : -1}
              className={`${classes['row']} ${classes['line']}`}
              style={{ height: size, transform: `translateY(${start}px)` }}
            >
              {props.cells(row)}
            </div>
          );
        })}
      </div>
      {props.foot !== undefined && <div className={classes['foot']}>{props.foot}</div>}
    </div>
  );
}

function useVirtualRows<T extends { id: string }>(props: VirtualListProps<T>) {
  const { label, rows, cursor, hasMore, onMore } = props;
  const box = useRef<HTMLDivElement>(null);
  const height = useNarrow() ? NARROW_ROW_PX : ROW_PX;
  const place = useElementScrollRestoration({ id: label });
  const active = cursor.id === null ? -1 : rows.findIndex((row) => row.id === cursor.id);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 8,
    getItemKey: (index) => rows[index]?.id ?? index,
    scrollPaddingStart: 32,
    initialOffset: place?.scrollY ?? 0,
    // the row that has the focus stays, however far it is scrolled away
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      if (active === -1 || shown.includes(active)) return shown;
      return [...shown, active].sort((a, b) => a - b);
    },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is what changed
  useEffect(() => virtual.measure(), [height]);
  const last = virtual.getVirtualItems().at(-1)?.index ?? -1;
  useEffect(() => {
    if (hasMore && last >= rows.length - LOAD_MORE_THRESHOLD_ROWS) onMore();
  }, [hasMore, last, rows.length, onMore]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a move by key takes the focus
  useEffect(() => {
    if (cursor.moves === 0 || active === -1) return;
    virtual.scrollToIndex(active, { align: 'auto' });
    box.current
      ?.querySelector<HTMLElement>(`[data-row="${CSS.escape(cursor.id ?? '')}"]`)
      ?.focus({ preventScroll: true });
  }, [cursor.moves, cursor.id]);
  return { box, virtual };
}
