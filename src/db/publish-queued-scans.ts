import type { Stores } from './stores/index.ts';
import type { OutboxEntry } from './stores/outbox.ts';

/**
 * Publishes to current readers that scans wait, as one notice, and writes the wake of their fleet to the outbox.
 * @returns the wake, to be sent after the transaction
 */
export async function publishQueuedScans(input: {
  tx: Stores;
  integrationId: string;
  repositoryId?: string;
  queued: number;
  now: Date;
}): Promise<OutboxEntry> {
  await input.tx.events.publishLive({
    kind: 'scan.queued',
    at: input.now.toISOString(),
    integrationId: input.integrationId,
    repositoryId: input.repositoryId ?? null,
    data: { queued: input.queued },
  });
  return input.tx.outbox.add({ kind: 'wake_fleet', integrationId: input.integrationId, now: input.now });
}
