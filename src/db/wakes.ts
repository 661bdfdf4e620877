import { isSecuError } from '../domain/errors.ts';
import type { Starters } from '../domain/ports.ts';
import type { Database } from './database.ts';
import type { OutboxEntry } from './stores/outbox.ts';

/**
 * Sends wakes that a committed transaction owes. What cannot be sent now stays for the dispatcher: nothing is lost
 * when Temporal is away.
 */
export async function sendWakes(
  deps: { database: Database; starters: Starters },
  entries: readonly OutboxEntry[],
): Promise<{ sent: number }> {
  const sent: string[] = [];
  try {
    for (const entry of entries) {
      if (entry.kind === 'wake_integration') await deps.starters.wakeIntegration(entry.integrationId);
      else await deps.starters.wakeFleet(entry.integrationId);
      sent.push(entry.id);
    }
  } catch (err) {
    if (!isSecuError(err, 'temporal_unavailable')) throw err;
  }
  if (sent.length > 0) await deps.database.stores.outbox.sent(sent);
  return { sent: sent.length };
}
