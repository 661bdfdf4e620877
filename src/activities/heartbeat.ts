import { Context } from '@temporalio/activity';

const BEAT_MS = 1_000;
/** Each beat is a write of the server: what is over by then has none. A cancel shows with it, within five seconds. */
const FIRST_BEAT_MS = 3_000;

/**
 * Heartbeats in the background while `work` runs, with whatever `details` gives at that moment, so that a slow answer
 * does not look like a dead worker. @returns what `work` returns
 */
export async function withHeartbeat<T>(
  details: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const beat = () => {
    context.heartbeat(details());
    timer = setTimeout(beat, BEAT_MS);
  };
  let timer = setTimeout(beat, FIRST_BEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } catch (err) {
    // the next try goes on from here, not from the last beat
    context.heartbeat(details());
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw err;
  } finally {
    clearTimeout(timer);
  }
}
