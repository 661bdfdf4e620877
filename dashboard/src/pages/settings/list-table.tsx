import { Table, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { LoadingRows } from '../../parts/states.tsx';
import classes from './settings.module.css';

/** A short list in its states: on its way, failed (what was there before stays), empty, there. */
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
  /** Heads of the columns; an empty one is that of the buttons. */
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

/** A cell that says on a narrow screen, where the heads are gone, what it holds. */
export function Cell({ head, children }: { head: string; children: ReactNode }) {
  return <Table.Td data-head={head}>{children}</Table.Td>;
}
