import { Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { createContext, useContext, useEffect, useRef, useState } from 'react';
import { serverClock } from '../api/server-clock.ts';
import { formatUtcTime, useNow } from '../format/time.ts';
import { publishEvent as tellListeners } from '../live/event-bus.ts';
import type { StreamState } from '../live/event-stream.ts';
import { canResume, startEventStream } from '../live/event-stream.ts';
import { affectedQueryKeys, createInvalidator, refreshAll } from '../live/invalidation.ts';
import classes from './shell.module.css';

interface Live {
  state: StreamState;
  /** Since when the page is no longer kept true; `null` while it is. */
  lostAt: string | null;
}

const LiveContext = createContext<Live>({ state: 'connecting', lostAt: null });

/** A gap this long may have lost more than the stream brings back: everything in view is asked anew, once. */
const LONG_GAP_MS = 60_000;
const SHORT_GAP_MS = 3_000;

/** Reads the stream of events for all pages and makes old what they make old. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [live, setLive] = useState<Live>({ state: 'connecting', lostAt: null });
  const lostAtMs = useRef<number | null>(null);
  useEffect(() => {
    const ending = new AbortController();
    const refresh = createInvalidator(client);
    startEventStream({
      signal: ending.signal,
      onEvent: (event) => {
        refresh(...affectedQueryKeys(event));
        tellListeners(event);
      },
      onState: (state) => {
        const nowMs = serverClock.now();
        if (state === 'live') {
          const gapMs = lostAtMs.current === null ? 0 : nowMs - lostAtMs.current;
          if (gapMs > LONG_GAP_MS || (lostAtMs.current !== null && !canResume())) refreshAll(client);
          lostAtMs.current = null;
        } else if (state === 'lost') lostAtMs.current ??= nowMs;
        // the server says in its answer to any question that nobody is signed in: ask one
        if (state === 'signed_out') void client.invalidateQueries({ queryKey: ['me'] });
        setLive({
          state,
          lostAt: lostAtMs.current === null ? null : new Date(lostAtMs.current).toISOString(),
        });
      },
    });
    return () => ending.abort();
  }, [client]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** For how long the page has not been kept true. */
function useGapMs({ lostAt }: Live): number {
  const nowMs = useNow({ seconds: true });
  return lostAt === null ? 0 : Math.max(0, nowMs - Date.parse(lostAt));
}

/** Says whether what is on the page is kept true. A gap shorter than three seconds is not worth a word. */
export function LiveIndicator() {
  const live = useContext(LiveContext);
  const gapMs = useGapMs(live);
  const lost = live.lostAt !== null && gapMs >= SHORT_GAP_MS;
  const text = lost
    ? `Reconnecting; shown as of ${formatUtcTime(live.lostAt ?? '')}`
    : live.state === 'connecting'
      ? 'Connecting'
      : 'Live';
  const hue = lost ? 'warn' : live.state === 'connecting' ? 'neutral' : 'ok';
  return (
    <span className={classes['live']} role="status" data-live={lost ? 'lost' : live.state}>
      <span className={classes['dot']} style={{ background: `var(--secu-dot-${hue})` }} />
      {text}
    </span>
  );
}

/** Over the page too, once the gap is long. */
export function StaleNotice() {
  const live = useContext(LiveContext);
  const gapMs = useGapMs(live);
  if (live.lostAt === null || gapMs < LONG_GAP_MS) return null;
  return (
    <Text size="xs" c="warn" mb="sm">
      Shown as of {formatUtcTime(live.lostAt)}. Secu does not answer; the page follows as soon as it does.
    </Text>
  );
}
