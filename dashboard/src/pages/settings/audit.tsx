import { Button, Code, Table, Text } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, request } from '../../api/api.ts';
import { useHasRole } from '../../api/session.ts';
import { restartList, uniqueRows } from '../../lists/list-pages.ts';
import { parseList } from '../../lists/search-params.ts';
import { useLiveEvents } from '../../live/event-bus.ts';
import { Chips } from '../../parts/chips.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Page } from '../../parts/page.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Empty, LoadingRows, NotAllowed } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { AREA_TEXTS, AREAS, auditKinds, textField } from './audit/kinds.ts';
import { Cell } from './list-table.tsx';
import classes from './settings.module.css';

const route = getRouteApi('/shell/settings/audit');
const LIMIT = '50';

const fetchAudit = (kind: string, cursor: string) =>
  request(api.events.$get({ query: { kind, limit: LIMIT, ...(cursor !== '' && { cursor }) } }));
type AuditEvent = Awaited<ReturnType<typeof fetchAudit>>['items'][number];

export default function AuditPage() {
  if (!useHasRole('admin'))
    return (
      <Page title="Audit">
        <NotAllowed roles="Administrators" />
      </Page>
    );
  return <Audit />;
}

/** Rows do not move while the user reads: newer entries are counted and shown on request. */
function useAudit(kind: string) {
  const client = useQueryClient();
  const queryKey = ['audit', kind];
  const [newCount, setNewCount] = useState(0);
  const list = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => fetchAudit(kind, pageParam),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const rows = uniqueRows(list.data);
  useLiveEvents((event) => {
    if (!kind.split(',').includes(event.kind) || rows.some(({ id }) => id === event.id)) return;
    setNewCount((count) => count + 1);
  });
  const showNew = async () => {
    setNewCount(0);
    await restartList(client, queryKey);
  };
  return { list, rows, newCount, showNew };
}

function Audit() {
  const { area } = route.useSearch();
  const navigate = useNavigate({ from: '/settings/audit' });
  const chosen = parseList(area, AREAS);
  const { list, rows, newCount, showNew } = useAudit(auditKinds(chosen).join());
  const setAreas = (next: string[]) =>
    void navigate({ search: { area: AREAS.filter((each) => next.includes(each)).join() }, replace: true });
  return (
    <Page title="Audit">
      <Text size="sm" c="dimmed" mb="md">
        Sign-ins and changes to users, API keys and channels. Events are kept for 400 days.
      </Text>
      <Chips
        label="Area"
        options={AREAS.map((value) => ({ value, text: AREA_TEXTS[value] }))}
        selected={chosen}
        onChange={setAreas}
      />
      {newCount > 0 && (
        <Button size="compact-xs" variant="light" mt="sm" onClick={() => void showNew()}>
          Show {newCount} new
        </Button>
      )}
      {list.isError && <ProblemPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <LoadingRows label="Loading the audit events" />}
      {list.isSuccess && rows.length === 0 && <Empty title="No events yet" />}
      {rows.length > 0 && <Rows rows={rows} isOld={list.isPlaceholderData} />}
      {list.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage({ cancelRefetch: false })}
        >
          Show older events
        </Button>
      )}
    </Page>
  );
}

function Rows({ rows, isOld }: { rows: readonly AuditEvent[]; isOld: boolean }) {
  return (
    <Table aria-label="Audit events" aria-busy={isOld} className={classes['table']} mt="md">
      <Table.Thead>
        <Table.Tr>
          {['Time', 'Actor', 'Event', 'Address', 'Request'].map((head) => (
            <Table.Th key={head}>{head}</Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ id, at, actor, text, data }) => {
          const requestId = textField(data, 'requestId');
          return (
            <Table.Tr key={id}>
              <Cell head="Time">
                <TimeAgo at={at} />
              </Cell>
              <Cell head="Actor">{actor}</Cell>
              <Cell head="Event">{text}</Cell>
              <Cell head="Address">{textField(data, 'address') ?? '–'}</Cell>
              <Cell head="Request">
                {requestId !== null && (
                  <>
                    <Code>{requestId.slice(-8)}</Code>
                    <CopyButton text={requestId} label={`Copy request ID ${requestId}`} />
                  </>
                )}
              </Cell>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
