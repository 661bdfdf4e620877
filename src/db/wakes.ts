import { isSecuError } from '../domain/errors.ts';
import type { Starters } from '../domain/ports.ts';
import type { Database } from './database.ts';
import type { OutboxEntry } from './stores/outbox.ts';

/**
 * Sends the wakes of a committed transaction. What cannot be sent stays for the dispatcher, so nothing is lost
 * while Temporal is unavailable. An entry that fails for another reason stays too, without blocking later ones.
 * @throws the first such error, after all other entries were sent
 */
export async function sendWakes(
  deps: { database: Database; starters: Starters },
  entries: readonly OutboxEntry[],
): Promise<{ sent: number }> {
  const sent: string[] = [];
  const failures: unknown[] = [];
  for (const entry of entries) {
    try {
      if (entry.kind === 'wake_integration') await deps.starters.wakeIntegration(entry.integrationId);
      else await deps.starters.wakeFleet(entry.integrationId);
      sent.push(entry.id);
    } catch (err) {
      if (isSecuError(err, 'temporal_unavailable')) break;
      failures.push(err);
    }
  }
  if (sent.length > 0) await deps.database.stores.outbox.sent(sent);
  if (failures.length > 0) throw failures[0];
  return { sent: sent.length };
}
