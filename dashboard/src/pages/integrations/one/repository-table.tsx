import { Badge, Table } from '@mantine/core';
import { WordBadge } from '../../../parts/badges.tsx';
import { TextLink } from '../../../parts/text-link.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import { useRowKeys } from '../../../row-keys.ts';
import { SEVERITIES, SEVERITY } from '../../../words.ts';
import { lastScanWord, stateWord } from '../repository-words.ts';
import classes from './repository-table.module.css';

interface Item {
  id: string;
  fullPath: string;
  state: string;
  excludedBecause: string | null;
  lastScan: {
    status: string;
    outcome: string | null;
    commit: string | null;
    finishedAt: string | null;
  } | null;
  counts: { open: number; critical: number; high: number; medium: number; low: number };
}

export function RepositoryTable({ items, isOld }: { items: Item[]; isOld: boolean }) {
  const list = useRowKeys<HTMLTableElement>();
  return (
    <Table ref={list} aria-label="Repositories" aria-busy={isOld} className={classes['table']}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Path</Table.Th>
          <Table.Th>Last scan</Table.Th>
          <Table.Th className={classes['wide']}>When</Table.Th>
          <Table.Th>Open findings</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {items.map((item) => (
          <Row key={item.id} item={item} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ item }: { item: Item }) {
  const { id, fullPath, lastScan, counts } = item;
  return (
    <Table.Tr data-row={id}>
      <Table.Td className={classes['path']}>
        <TextLink to="/repositories/$id" params={{ id }}>
          {fullPath}
        </TextLink>
      </Table.Td>
      <Table.Td>
        <WordBadge word={stateWord(item) ?? lastScanWord(lastScan)} />
      </Table.Td>
      <Table.Td className={classes['wide']}>
        {lastScan?.finishedAt != null && <TimeAgo at={lastScan.finishedAt} />}
      </Table.Td>
      <Table.Td>
        <span className={classes['counts']}>
          {SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => (
            <Badge
              key={severity}
              color={SEVERITY[severity].hue}
              variant={severity === 'critical' ? 'filled' : 'light'}
              title={`${counts[severity]} ${SEVERITY[severity].text}`}
            >
              {SEVERITY[severity].letter} {counts[severity]}
            </Badge>
          ))}
        </span>
      </Table.Td>
    </Table.Tr>
  );
}
