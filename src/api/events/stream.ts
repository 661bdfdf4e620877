import type { SSEStreamingApi } from 'hono/streaming';
import type { EventPosition } from '../../db/stores/events.ts';
import type { LiveEvent } from '../../domain/event.ts';
import type { ApiDeps } from '../deps.ts';
import { presentEvent } from './present.ts';

const COMMENT_EVERY_MS = 15_000;
const PER_READ = 200;

/** Poll interval while an open transaction holds events back: its end sends no notification. */
const HELD_BACK_MS = 200;

interface Reader {
  deps: ApiDeps;
  stream: SSEStreamingApi;
  audit: boolean;
  /** True while the key or session that opened the stream is valid. */
  stillAllowed: () => Promise<boolean>;
}

/**
 * Server-sent events from a position on: stored events with their id, none skipped or repeated; live events without an
 * id. Sends a comment every 15 s; ends when the key or session that opened it is no longer valid.
 */
export async function streamEvents(input: Reader & { from: EventPosition }): Promise<void> {
  const { deps, stream } = input;
  const live: LiveEvent[] = [];
  const waker = createWaker();
  const unsubscribe = deps.feed.subscribe({
    onStored: () => waker.wake(),
    onLive: (event) => {
      live.push(event);
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
    while (!stream.aborted) {
      const next = await writeStored(input, position);
      if (next === null) return;
      for (const event of live.splice(0))
        await stream.writeSSE({ event: event.kind, data: JSON.stringify(event) });
      const held = next === position && (await deps.database.stores.events.isHeldBack(position));
      position = next;
      await waker.wait(held ? HELD_BACK_MS : Math.max(0, commentAtMs - performance.now()));
      if (performance.now() < commentAtMs || stream.aborted) continue;
      if (!(await input.stillAllowed())) return;
      await stream.write(': keep-alive\n\n');
      commentAtMs = performance.now() + COMMENT_EVERY_MS;
    }
  } finally {
    unsubscribe();
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
        await stream.writeSSE({ id: event.id, event: event.kind, data: JSON.stringify(event) });
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
