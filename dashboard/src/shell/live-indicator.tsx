import { Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { createContext, useContext, useEffect, useRef, useState } from 'react';
import { serverClock } from '../api/server-clock.ts';
import { formatUtcTime, useNow } from '../format/time.ts';
import { publishEvent } from '../live/event-bus.ts';
import type { StreamState } from '../live/event-stream.ts';
import { canResume, startEventStream } from '../live/event-stream.ts';
import { affectedQueryKeys, createInvalidator, refreshAll } from '../live/invalidation.ts';
import classes from './shell.module.css';

interface Live {
  state: StreamState;
  /** When the page stopped receiving events; `null` while it receives them. */
  lostAt: string | null;
}

const LiveContext = createContext<Live>({ state: 'connecting', lostAt: null });

/** After a gap of this length everything in view is refetched once, because the stream may not resume completely. */
const LONG_GAP_MS = 60_000;
const SHORT_GAP_MS = 3_000;

/** Reads the event stream for all pages, and invalidates the queries that events make stale. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [live, setLive] = useState<Live>({ state: 'connecting', lostAt: null });
  const lostAtMs = useRef<number | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const invalidate = createInvalidator(client);
    startEventStream({
      signal: controller.signal,
      onEvent: (event) => {
        invalidate(...affectedQueryKeys(event));
        publishEvent(event);
      },
      onState: (state) => {
        const nowMs = serverClock.now();
        if (state === 'live') {
          const gapMs = lostAtMs.current === null ? 0 : nowMs - lostAtMs.current;
          if (gapMs > LONG_GAP_MS || (lostAtMs.current !== null && !canResume())) refreshAll(client);
          lostAtMs.current = null;
        } else if (state === 'lost') lostAtMs.current ??= nowMs;
        // any request answers 401 now, which opens the sign-in page
        if (state === 'signed_out') void client.invalidateQueries({ queryKey: ['me'] });
        setLive({
          state,
          lostAt: lostAtMs.current === null ? null : new Date(lostAtMs.current).toISOString(),
        });
      },
    });
    return () => controller.abort();
  }, [client]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** How long the page has not received events. */
function useGapMs({ lostAt }: Live): number {
  const nowMs = useNow({ seconds: true });
  return lostAt === null ? 0 : Math.max(0, nowMs - Date.parse(lostAt));
}

/** Shows whether the page is live. Gaps below three seconds are not shown. */
export function LiveIndicator() {
  const live = useContext(LiveContext);
  const gapMs = useGapMs(live);
  const isLost = live.lostAt !== null && gapMs >= SHORT_GAP_MS;
  const text = isLost
    ? `Reconnecting. Last updated ${formatUtcTime(live.lostAt ?? '')}`
    : live.state === 'connecting'
      ? 'Connecting'
      : 'Live';
  const hue = isLost ? 'warn' : live.state === 'connecting' ? 'neutral' : 'ok';
  return (
    <span className={classes['live']} role="status" data-live={isLost ? 'lost' : live.state}>
      <span className={classes['dot']} style={{ background: `var(--secu-dot-${hue})` }} />
      {text}
    </span>
  );
}

/** A notice above the page after a long gap. */
export function StaleNotice() {
  const live = useContext(LiveContext);
  const gapMs = useGapMs(live);
  if (live.lostAt === null || gapMs < LONG_GAP_MS) return null;
  return (
    <Text size="xs" c="warn" mb="sm">
      Last updated {formatUtcTime(live.lostAt)}. Secu is not responding; the page updates when it is back.
    </Text>
  );
}
