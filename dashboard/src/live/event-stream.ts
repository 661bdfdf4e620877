import { createParser } from 'eventsource-parser';
import type { LiveEvent } from './live-event.ts';

export type { LiveEvent } from './live-event.ts';
export type StreamState = 'connecting' | 'live' | 'lost' | 'signed_out';

interface StreamOptions {
  onEvent: (event: LiveEvent) => void;
  onState: (state: StreamState) => void;
  signal: AbortSignal;
}

/** What tabs send each other: a new tab's `hello`, the leader's state, or an event that the leader read. */
type TabMessage = 'hello' | { state: StreamState } | { eventId: string; event: LiveEvent };

/** The server sends a comment every 15 s; a stream that is silent for longer than this is reopened. */
const SILENCE_TIMEOUT_MS = 45_000;
const MAX_RECONNECT_DELAY_MS = 8_000;
const CHANNEL = 'secu-events';

/** Followers track it too, so that a new leader resumes where the previous one stopped. */
let lastEventId = '';

/** Whether a reconnect can resume. Without an event id, events that occurred during a gap are not sent again. */
export function canResume(): boolean {
  return lastEventId !== '';
}

/**
 * Delivers the events of the server. One tab of a browser, the leader, reads the stream and forwards events to the
 * others: over HTTP/1.1 six streams would exhaust the connections of a browser. Without Web Locks, which plain http on
 * a remote host does not have, every tab reads its own stream.
 */
export function startEventStream({ onEvent, onState, signal }: StreamOptions): void {
  const channel = new BroadcastChannel(CHANNEL);
  signal.addEventListener('abort', () => channel.close());
  const broadcast = (message: TabMessage) => {
    if (!signal.aborted) channel.postMessage(message);
  };
  let state: StreamState = 'connecting';
  let isLeader = false;
  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    if (data === 'hello') {
      if (isLeader) broadcast({ state });
    } else if ('state' in data) onState(data.state);
    else {
      lastEventId = data.eventId;
      onEvent(data.event);
    }
  };
  const lead = () => {
    isLeader = true;
    return readWithReconnect({
      onEvent: (event) => {
        onEvent(event);
        broadcast({ eventId: lastEventId, event });
      },
      onState: (next) => {
        state = next;
        onState(next);
        broadcast({ state });
      },
      signal,
    });
  };
  if (!('locks' in navigator)) return void lead();
  broadcast('hello');
  navigator.locks.request(CHANNEL, { signal }, lead).catch((err: unknown) => {
    if (!signal.aborted) throw err;
  });
}

/** Used instead of `EventSource`, which never reconnects after a 503 and cannot send a given `Last-Event-ID`. */
async function readWithReconnect(options: StreamOptions): Promise<void> {
  const { onState, signal } = options;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const end = await readStream(options);
      if (end === 'signed_out') return onState('signed_out');
      failures = 0;
    } catch {
      if (signal.aborted) return;
    }
    onState('lost');
    const delayMs = Math.min(MAX_RECONNECT_DELAY_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

async function readStream({ onEvent, onState, signal }: StreamOptions): Promise<'ended' | 'signed_out'> {
  const silence = new AbortController();
  const response = await fetch('/api/v1/events/stream', {
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
    },
    signal: AbortSignal.any([signal, silence.signal]),
  });
  if (response.status === 401) return 'signed_out';
  if (!response.ok || response.body === null) throw new Error(`the stream answered ${response.status}`);
  onState('live');
  const parser = createParser({
    onEvent({ id, data }) {
      if (id !== undefined && id !== '') lastEventId = id;
      onEvent(JSON.parse(data) as LiveEvent);
    },
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const timer = setTimeout(() => silence.abort(), SILENCE_TIMEOUT_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return 'ended';
    parser.feed(value);
  }
}
