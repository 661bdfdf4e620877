import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import type { SyncRun } from '../../../api/types.ts';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../../parts/states.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import { changesText, syncRunLabel } from '../sync-labels.ts';
import classes from './activity-tab.module.css';

const LIMIT = '20';

/** The latest syncs and what each of them changed. */
export function Syncs({ id }: { id: string }) {
  const { data, error, isPending, refetch } = useQuery({
    // a key below the integration's own, so that the same events invalidate both
    queryKey: [...queryKeys.integration(id), 'syncs'],
    queryFn: () => request(api.integrations[':id'].syncs.$get({ param: { id }, query: { limit: LIMIT } })),
  });
  if (isPending) return <LoadingRows label="Loading the syncs" />;
  if (error !== null && data === undefined)
    return <ProblemPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined || data.items.length === 0) return <Empty title="No syncs yet" />;
  return (
    <Table aria-label="Syncs" className={classes['syncs']}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Time</Table.Th>
          <Table.Th>Result</Table.Th>
          <Table.Th ta="end">Listed</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {data.items.map((run) => (
          <Row key={run.id} run={run} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ run }: { run: SyncRun }) {
  const { text, hue } = syncRunLabel(run);
  return (
    <Table.Tr>
      <Table.Td>
        <TimeAgo at={run.createdAt} />
        <Text size="xs" c="dimmed">
          {run.trigger}
        </Text>
      </Table.Td>
      <Table.Td>
        <Text size="sm" {...(hue !== 'neutral' && { c: hue })}>
          {text}
        </Text>
        <Text size="xs" c="dimmed">
          {changesText(run)}
        </Text>
      </Table.Td>
      <Table.Td ta="end">{run.listed.toLocaleString('en')}</Table.Td>
    </Table.Tr>
  );
}
