import type { Log } from '../log/logger.ts';

/** The lines of this activity say which request it serves; what nobody asked for has none. */
export function addRequestIdToLog(log: Log, requestId: string | null | undefined): void {
  if (requestId !== null && requestId !== undefined) log.addFields({ requestId });
}
