import type { LiveEvent } from './live-event.ts';

export type { LiveEvent } from './live-event.ts';
export type StreamState = 'connecting' | 'live' | 'lost' | 'signed_out';

interface Listener {
  onEvent: (event: LiveEvent) => void;
  onState: (state: StreamState) => void;
  signal: AbortSignal;
}

type Message = 'hello' | { state: StreamState } | { lastId: string; event: LiveEvent };

/** A stream that is silent for longer is read anew: the server sends a comment every 15 s. */
const SILENCE_TIMEOUT_MS = 45_000;
const MAX_RECONNECT_DELAY_MS = 8_000;

/** Kept by followers too, so that a new leader resumes where the old one stopped. */
let lastEventId = '';

/** Is there an event to go on behind? Without one, what happened during a gap is in no stream that follows. */
export function canResume(): boolean {
  return lastEventId !== '';
}

/**
 * Reads the events for all tabs of this browser: one of them leads and reads, the others are told (six streams would
 * starve a seventh tab over HTTP/1.1). Without Web Locks, as on plain http at a foreign address, each reads its own.
 */
export function startEventStream({ onEvent, onState, signal }: Listener): void {
  const channel = new BroadcastChannel('secu-events');
  signal.addEventListener('abort', () => channel.close());
  const say = (message: Message) => {
    if (!signal.aborted) channel.postMessage(message);
  };
  let state: StreamState = 'connecting';
  let leading = false;
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data === 'hello') {
      if (leading) say({ state });
    } else if ('state' in data) onState(data.state);
    else {
      lastEventId = data.lastId;
      onEvent(data.event);
    }
  };
  const lead = () => {
    leading = true;
    return readWithReconnect({
      onEvent: (event) => {
        onEvent(event);
        say({ lastEventId, event });
      },
      onState: (next) => {
        state = next;
        onState(next);
        say({ state });
      },
      signal,
    });
  };
  if (!('locks' in navigator)) return void lead();
  say('hello');
  navigator.locks.request('secu-events', { signal }, lead).catch((err: unknown) => {
    if (!signal.aborted) throw err;
  });
}

/** `EventSource` gives up for good after one 503, and cannot say from where to go on. */
async function readWithReconnect(listener: Listener): Promise<void> {
  const { onState, signal } = listener;
  for (let tries = 0; !signal.aborted; ) {
    try {
      const read = await readStream(listener);
      if (read === 'signed_out') return onState('signed_out');
      tries = 0;
    } catch {
      if (signal.aborted) return;
    }
    onState('lost');
    const pauseMs = Math.min(MAX_RECONNECT_DELAY_MS, 500 * 2 ** tries) * (0.5 + Math.random() / 2);
    tries += 1;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function readStream({ onEvent, onState, signal }: Listener): Promise<'ended' | 'signed_out'> {
  const silent = new AbortController();
  const response = await fetch('/api/v1/events/stream', {
    headers: { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) },
    signal: AbortSignal.any([signal, silent.signal]),
  });
  if (response.status === 401) return 'signed_out';
  if (!response.ok || response.body === null) throw new Error(`the stream answered ${response.status}`);
  onState('live');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  for (;;) {
    const timer = setTimeout(() => silent.abort(), SILENCE_TIMEOUT_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return 'ended';
    const frames = (buffer + value).split('\n\n');
    buffer = frames.pop() ?? '';
    for (const frame of frames) {
      const id = fieldOf(frame, 'id');
      const data = fieldOf(frame, 'data');
      if (id !== '') lastEventId = id;
      if (data !== '') onEvent(JSON.parse(data) as LiveEvent);
    }
  }
}

function fieldOf(frame: string, name: string): string {
  return frame
    .split('\n')
    .filter((line) => line.startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trimStart())
    .join('\n');
}
