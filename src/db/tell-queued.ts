import type { Stores } from './stores/index.ts';

/** Tells whoever listens now that scans wait: one notice, however many. */
export async function tellQueued(input: {
  tx: Stores;
  integrationId: string;
  repositoryId?: string;
  queued: number;
  now: Date;
}): Promise<void> {
  await input.tx.events.tellLive({
    kind: 'scan.queued',
    at: input.now.toISOString(),
    integrationId: input.integrationId,
    repositoryId: input.repositoryId ?? null,
    data: { queued: input.queued },
  });
}
