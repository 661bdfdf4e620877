import type { Log } from '../log/logger.ts';

/** Adds the request ID to the log lines of this activity, if a request caused it. */
export function addRequestIdToLog(log: Log, requestId: string | null | undefined): void {
  if (requestId !== null && requestId !== undefined) log.addFields({ requestId });
}
