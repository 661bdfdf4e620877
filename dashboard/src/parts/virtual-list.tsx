// biome-ignore-all lint/a11y/useSemanticElements: rows are positioned one by one, which table elements do not support
// biome-ignore-all lint/a11y/useFocusableInteractive: rows take the focus, not cells
import { useElementScrollRestoration } from '@tanstack/react-router';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import type { CSSProperties, ReactNode } from 'react';
import { useEffect, useRef } from 'react';
import type { RowCursor } from '../keyboard/row-cursor.ts';
import { useNarrow } from './use-narrow.ts';
import classes from './virtual-list.module.css';

const ROW_PX = 36;
const NARROW_ROW_PX = 56;
/** The next page loads when this few rows are left. */
const LOAD_MORE_THRESHOLD_ROWS = 20;

export interface VirtualListProps<T extends { id: string }> {
  /** Name for screen readers, and the key of the stored scroll position. */
  label: string;
  rows: readonly T[];
  /** Total number of rows; `null` if unknown. */
  total: number | null;
  /** Column widths as `grid-template-columns`; on narrow screens a row has two lines. */
  columns: string;
  narrowColumns: string;
  head: readonly ReactNode[];
  /** Renders the cells of a row as {@link Cell}. */
  cells: (row: T) => ReactNode;
  cursor: RowCursor;
  selected?: ReadonlySet<string>;
  busy?: boolean;
  hasMore: boolean;
  onMore: () => void;
  foot?: ReactNode;
  /** Height of the page above the list, in pixels. */
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

/** A table of many rows of equal height that renders only the rows in view. */
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
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll container must be reachable by keyboard
      tabIndex={0}
    >
      <div role="rowgroup" className={classes['head']}>
        <div role="row" aria-rowindex={1} className={classes['line']} style={{ height: 32 }}>
          {head.map((title, column) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the columns never change their order
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
  const savedScroll = useElementScrollRestoration({ id: label });
  const active = cursor.id === null ? -1 : rows.findIndex((row) => row.id === cursor.id);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 8,
    getItemKey: (index) => rows[index]?.id ?? index,
    scrollPaddingStart: 32,
    initialOffset: savedScroll?.scrollY ?? 0,
    // keep the focused row mounted, wherever the list is scrolled
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      if (active === -1 || shown.includes(active)) return shown;
      return [...shown, active].sort((a, b) => a - b);
    },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measure again when the row height changes
  useEffect(() => virtual.measure(), [height]);
  const lastRendered = virtual.getVirtualItems().at(-1)?.index ?? -1;
  useEffect(() => {
    if (hasMore && lastRendered >= rows.length - LOAD_MORE_THRESHOLD_ROWS) onMore();
  }, [hasMore, lastRendered, rows.length, onMore]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only moves by key set the focus
  useEffect(() => {
    if (cursor.moves === 0 || active === -1) return;
    virtual.scrollToIndex(active, { align: 'auto' });
    box.current
      ?.querySelector<HTMLElement>(`[data-row="${CSS.escape(cursor.id ?? '')}"]`)
      ?.focus({ preventScroll: true });
  }, [cursor.moves, cursor.id]);
  return { box, virtual };
}
