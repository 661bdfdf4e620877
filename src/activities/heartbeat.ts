import { Context } from '@temporalio/activity';

const BEAT_MS = 1_000;

/**
 * Heartbeats in the background while `work` runs, with whatever `details` gives at that moment, so that a slow answer
 * does not look like a dead worker. @returns what `work` returns
 */
export async function withHeartbeat<T>(
  details: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(details()), BEAT_MS);
  context.heartbeat(details());
  try {
    return await work(context.cancellationSignal);
  } catch (err) {
    // the next try goes on from here, not from the last beat
    context.heartbeat(details());
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw err;
  } finally {
    clearInterval(timer);
  }
}
