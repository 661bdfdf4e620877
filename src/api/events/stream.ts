import type { SSEStreamingApi } from 'hono/streaming';
import type { EventPosition } from '../../db/stores/events.ts';
import type { LiveEvent } from '../../domain/event.ts';
import type { ApiDeps } from '../deps.ts';
import { presentEvent } from './present.ts';

const COMMENT_EVERY_MS = 15_000;
const PER_READ = 200;
/** Live events that wait for a slow reader. One with more is disconnected, and resumes by `Last-Event-ID`. */
export const MAX_QUEUED_LIVE_EVENTS = 1_000;
/** A reader that accepts nothing for this long is disconnected. */
export const MAX_WRITE_MS = 30_000;

/** Poll interval while an open transaction holds events back: its end sends no notification. */
const HELD_BACK_MS = 200;

interface Reader {
  deps: ApiDeps;
  stream: SSEStreamingApi;
  audit: boolean;
  /** True while the key or session that opened the stream is valid. */
  stillAllowed: () => Promise<boolean>;
  /** Closes the connection at once, with whatever was not sent yet. */
  disconnect: () => void;
}

/**
 * Server-sent events from a position on: stored events with their id, none skipped or repeated; live events without an
 * id. Sends a comment every 15 s; ends when the key or session that opened it is no longer valid. What waits for a slow
 * reader is bounded: it is disconnected.
 */
export async function streamEvents(input: Reader & { from: EventPosition }): Promise<void> {
  const { deps, stream } = input;
  const live: LiveEvent[] = [];
  let restored = false;
  const waker = createWaker();
  const unsubscribe = deps.feed.subscribe({
    onStored: () => waker.wake(),
    onLive: (event) => {
      if (live.length >= MAX_QUEUED_LIVE_EVENTS) return input.disconnect();
      live.push(event);
      waker.wake();
    },
    onRestored: () => {
      restored = true;
      waker.wake();
    },
  });
  stream.onAbort(() => {
    unsubscribe();
    waker.wake();
  });
  let position = input.from;
  let commentAtMs = performance.now() + COMMENT_EVERY_MS;
  try {
    // after a restore the reader resumes by the id of its last event, which has a new position
    while (!stream.aborted && !restored) {
      const next = await writeStored(input, position);
      if (next === null) return;
      for (let event = live.shift(); event !== undefined && !stream.aborted; event = live.shift())
        await sendEvent(input, { event: event.kind, data: JSON.stringify(event) });
      const held = next === position && (await deps.database.stores.events.isHeldBack(position));
      position = next;
      await waker.wait(held ? HELD_BACK_MS : Math.max(0, commentAtMs - performance.now()));
      if (performance.now() < commentAtMs || stream.aborted) continue;
      if (!(await input.stillAllowed())) return;
      await withTimeout(input, stream.write(': keep-alive\n\n'));
      commentAtMs = performance.now() + COMMENT_EVERY_MS;
    }
  } finally {
    unsubscribe();
  }
}

function sendEvent(reader: Reader, message: { id?: string; event: string; data: string }): Promise<void> {
  return withTimeout(reader, reader.stream.writeSSE(message));
}

/** A write waits while the reader's socket is full; aborting the stream ends the wait. */
async function withTimeout({ disconnect }: Reader, write: Promise<unknown>): Promise<void> {
  const timer = setTimeout(disconnect, MAX_WRITE_MS);
  try {
    await write;
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the new position; the same object when there was nothing to send; `null` when the key is no longer valid */
async function writeStored(reader: Reader, position: EventPosition): Promise<EventPosition | null> {
  const { deps, stream, audit } = reader;
  let at = position;
  for (;;) {
    const read = await deps.database.stores.events.readAfter(at, PER_READ);
    // deleting the key is an event too: nothing stored after it may be sent
    if (read.length > 0 && !(await reader.stillAllowed())) return null;
    for (const entry of read) {
      if (audit || !entry.audit) {
        const event = presentEvent(entry.event);
        await sendEvent(reader, { id: event.id, event: event.kind, data: JSON.stringify(event) });
        if (stream.aborted) return at;
      }
      at = entry.position;
    }
    if (read.length < PER_READ || stream.aborted) return at;
  }
}

/** A wait that `wake` ends early. A `wake` without a current wait ends the next one at once. */
function createWaker() {
  let woken = false;
  let resume: (() => void) | null = null;
  return {
    wake() {
      woken = true;
      resume?.();
    },
    async wait(timeoutMs: number): Promise<void> {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          resume = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      woken = false;
      resume = null;
    },
  };
}
