import { Button, Text, Title } from '@mantine/core';
import type { InfiniteData } from '@tanstack/react-query';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { formatCount } from '../../../format/labels.ts';
import { useLiveEvents } from '../../../live/event-bus.ts';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../../parts/states.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import { EVENT_HUES } from '../event-hues.ts';
import type { EventGroup, TimelineEvent } from '../timeline.ts';
import { groupEvents, withEvent } from '../timeline.ts';
import classes from './activity-tab.module.css';
import { Syncs } from './syncs.tsx';

const LIMIT = '50';

type Page = Awaited<ReturnType<typeof fetchEvents>>;

const fetchEvents = (id: string, cursor: string) =>
  request(
    api.integrations[':id'].events.$get({
      param: { id },
      query: { limit: LIMIT, ...(cursor !== '' && { cursor }) },
    }),
  );

/** Live events and syncs of the integration. */
export default function ActivityTab({ id }: { id: string }) {
  return (
    <div className={classes['columns']}>
      <section aria-labelledby="events">
        <Title order={2} id="events" mb="sm">
          Events
        </Title>
        <Timeline id={id} />
      </section>
      <section aria-labelledby="syncs">
        <Title order={2} id="syncs" mb="sm">
          Syncs
        </Title>
        <Syncs id={id} />
      </section>
    </div>
  );
}

/** New events of the stream are prepended without a refetch. */
function useTimeline(id: string) {
  const client = useQueryClient();
  const queryKey = ['timeline', id];
  const timeline = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => fetchEvents(id, pageParam),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    staleTime: 0,
  });
  useLiveEvents((event) => {
    if (event.integrationId !== id || !isStored(event)) return;
    client.setQueryData<InfiniteData<Page, string>>(queryKey, (now) => {
      const [first, ...rest] = now?.pages ?? [];
      if (now === undefined || first === undefined) return now;
      const items = [...withEvent(first.items, event)];
      return { ...now, pages: [{ ...first, items }, ...rest] };
    });
  });
  return timeline;
}

/** Stored events have an id and a text; live-only events do not. */
function isStored(event: object): event is Page['items'][number] {
  return 'id' in event && 'text' in event;
}

function Timeline({ id }: { id: string }) {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useTimeline(id);
  if (isPending) return <LoadingRows label="Loading the events" />;
  const groups = groupEvents(data?.pages.flatMap(({ items }) => items) ?? []);
  return (
    <>
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {groups.length === 0 && error === null && <Empty title="No events yet" />}
      <ol className={classes['events']}>
        {groups.map((group) => (
          // keyed by its oldest event, so that a group keeps its identity while newer events join it
          <EventEntry key={(group.rest.at(-1) ?? group.head).id} group={group} />
        ))}
      </ol>
      {hasNextPage && (
        <Button variant="default" mt="sm" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show older events
        </Button>
      )}
    </>
  );
}

function EventEntry({ group: { head, rest } }: { group: EventGroup<TimelineEvent> }) {
  return (
    <li className={classes['event']}>
      <span className={classes['dot']} style={{ background: `var(--secu-dot-${EVENT_HUES[head.kind]})` }} />
      <EventLine event={head} />
      {rest.length > 0 && (
        <details className={classes['rest']}>
          <summary>{formatCount(rest.length, 'more event')} of this kind</summary>
          <ol className={classes['events']}>
            {rest.map((event) => (
              <li key={event.id} className={classes['folded']}>
                <EventLine event={event} />
              </li>
            ))}
          </ol>
        </details>
      )}
    </li>
  );
}

function EventLine({ event: { text, at, kind, actor } }: { event: TimelineEvent }) {
  return (
    <div>
      <span className={classes['text']}>{text}</span>
      <Text span size="xs" c="dimmed">
        {' '}
        <TimeAgo at={at} /> · {kind}
        {actor !== 'system' && ` · ${actor}`}
      </Text>
    </div>
  );
}
