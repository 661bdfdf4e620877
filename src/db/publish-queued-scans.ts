import type { Stores } from './stores/index.ts';

/** Publishes to current readers that scans wait: one notice, however many. */
export async function publishQueuedScans(input: {
  tx: Stores;
  integrationId: string;
  repositoryId?: string;
  queued: number;
  now: Date;
}): Promise<void> {
  await input.tx.events.publishLive({
    kind: 'scan.queued',
    at: input.now.toISOString(),
    integrationId: input.integrationId,
    repositoryId: input.repositoryId ?? null,
    data: { queued: input.queued },
  });
}
