import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 1_000;
/**
 * Work that ends sooner sends no heartbeat, which saves a write of the Temporal server. A cancel arrives with a
 * heartbeat, within five seconds.
 */
const FIRST_HEARTBEAT_MS = 3_000;

/**
 * Heartbeats in the background while `work` runs, so that slow work does not look like a dead worker. `details` is
 * read at each heartbeat.
 * @returns what `work` returns
 */
export async function withHeartbeat<T>(
  details: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const sendHeartbeat = () => {
    context.heartbeat(details());
    timer = setTimeout(sendHeartbeat, HEARTBEAT_MS);
  };
  let timer = setTimeout(sendHeartbeat, FIRST_HEARTBEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } catch (err) {
    // the next try resumes from these details, not from those of the last heartbeat
    context.heartbeat(details());
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw err;
  } finally {
    clearTimeout(timer);
  }
}
