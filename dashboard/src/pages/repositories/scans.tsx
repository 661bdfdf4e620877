import { Button, Table } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { HISTORY_TEXTS, scanLabel, TRIGGER_TEXTS } from '../../format/scan-labels.ts';
import { formatDuration } from '../../format/time.ts';
import { LabelBadge } from '../../parts/badges.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { RowTime } from '../../parts/row-time.tsx';
import { ScrollBox } from '../../parts/scroll-box.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { TextLink } from '../../parts/text-link.tsx';
import type { Scan } from '../scans/scan-data.ts';
import classes from './repositories.module.css';

const INITIAL_LIMIT = 20;
const MAX_LIMIT = 200;

/** The scans of a repository, newest first. */
export function Scans({ repositoryId }: { repositoryId: string }) {
  const [limit, setLimit] = useState(INITIAL_LIMIT);
  const { data, error, refetch } = useQuery({
    queryKey: [...queryKeys.repository(repositoryId), 'scans', limit],
    queryFn: () =>
      request(
        api.repositories[':id'].scans.$get({ param: { id: repositoryId }, query: { limit: String(limit) } }),
      ),
    placeholderData: keepPreviousData,
  });
  if (data === undefined && error !== null)
    return <ProblemPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingRows label="Loading the scans" />;
  if (data.items.length === 0) return <Empty title="No scans yet" />;
  return (
    <>
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      <ScrollBox label="Scans">
        <Table verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Scan</Table.Th>
              <Table.Th miw={150}>Result</Table.Th>
              <Table.Th>Commit</Table.Th>
              <Table.Th>Trigger</Table.Th>
              <Table.Th>Scope</Table.Th>
              <Table.Th>Duration</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.items.map((scan) => (
              <ScanRow key={scan.id} scan={scan} />
            ))}
          </Table.Tbody>
        </Table>
      </ScrollBox>
      {data.nextCursor !== null && limit < MAX_LIMIT && (
        <Button mt="sm" variant="default" onClick={() => setLimit(MAX_LIMIT)}>
          Show older scans
        </Button>
      )}
    </>
  );
}

function ScanRow({ scan }: { scan: Scan }) {
  const { id, queuedAt, startedAt, finishedAt, scanners, commit, trigger, history } = scan;
  const found = scanners.reduce((sum, { findings }) => sum + findings, 0);
  return (
    <Table.Tr>
      <Table.Td>
        <TextLink to="/scans/$id" params={{ id }}>
          <RowTime at={queuedAt} />
        </TextLink>
      </Table.Td>
      <Table.Td>
        <LabelBadge label={scanLabel(scan, found)} />
      </Table.Td>
      <Table.Td className={classes['mono']}>{commit?.slice(0, 7)}</Table.Td>
      <Table.Td>{TRIGGER_TEXTS[trigger]}</Table.Td>
      <Table.Td>{HISTORY_TEXTS[history]}</Table.Td>
      <Table.Td>
        {startedAt !== null &&
          finishedAt !== null &&
          formatDuration(Date.parse(finishedAt) - Date.parse(startedAt))}
      </Table.Td>
    </Table.Tr>
  );
}
