import { Table, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { LoadingRows } from '../../parts/states.tsx';
import classes from './settings.module.css';

/** A short list as a table, with its loading, error and empty states. An error keeps the rows loaded before. */
export function ListTable<T>({
  query,
  label,
  empty,
  columns,
  row,
}: {
  query: UseQueryResult<T[]>;
  label: string;
  empty: ReactNode;
  /** Column titles; the empty title is the column of buttons. */
  columns: readonly string[];
  row: (item: T) => ReactNode;
}) {
  const { data, error, refetch } = query;
  return (
    <>
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingRows label={`Loading: ${label}`} rows={3} />}
      {data?.length === 0 && empty}
      {data !== undefined && data.length > 0 && (
        <Table aria-label={label} className={classes['table']}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Table.Th key={column}>
                  {column === '' ? <VisuallyHidden>Actions</VisuallyHidden> : column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>{data.map(row)}</Table.Tbody>
        </Table>
      )}
    </>
  );
}

/** A cell that shows its column title on narrow screens, which have no table head. */
export function Cell({ head, children }: { head: string; children: ReactNode }) {
  return <Table.Td data-head={head}>{children}</Table.Td>;
}
