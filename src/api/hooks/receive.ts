import { publishQueuedScans } from '../../db/publish-queued-scans.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { OutboxEntry } from '../../db/stores/outbox.ts';
import type { HookHint } from '../../domain/hook.ts';
import { HOOK_SYNC_DELAY_MS, HOOK_SYNC_GAP_MS, hookActionFor } from '../../domain/hook.ts';
import type { ApiDeps } from '../deps.ts';

interface Received {
  integrationId: string;
  hint: HookHint;
  hintsInMinute: number;
  now: Date;
}

/**
 * Queues what a hint leads to. The wakes are in the outbox, so nothing is lost while Temporal is unavailable.
 * @returns the wakes to send
 */
export async function receiveHint(
  { database, now }: Pick<ApiDeps, 'database' | 'now'>,
  { integrationId, hint }: Pick<Received, 'integrationId' | 'hint'>,
): Promise<OutboxEntry[]> {
  const at = now();
  // apart from the transaction below: the row is shared by all hooks of the integration
  const hintsInMinute = await database.stores.hooks.receive({ integrationId, now: at });
  if (hintsInMinute === null || hint.kind === 'nothing') return [];
  const received = { integrationId, hint, hintsInMinute, now: at };
  return database.transaction((tx) => act(tx, received));
}

async function act(tx: Stores, received: Received): Promise<OutboxEntry[]> {
  const { integrationId, hint, now } = received;
  const { gitlabProjectId } = hint;
  const repository =
    gitlabProjectId === null ? null : await tx.repositories.findByProject({ integrationId, gitlabProjectId });
  const action = hookActionFor({ ...received, repository });
  switch (action) {
    case 'scan': {
      const repositoryId = repository?.id ?? '';
      if (!(await tx.scans.requestHookScan({ repositoryId, now }))) return [];
      return [await publishQueuedScans({ tx, integrationId, repositoryId, queued: 1, now })];
    }
    case 'sync':
    case 'sync_rarely': {
      if (gitlabProjectId !== null) await tx.hooks.hintProject({ integrationId, gitlabProjectId, now });
      const minGapMs = HOOK_SYNC_GAP_MS[action];
      const isEarlier = await tx.hooks.requestSync({
        integrationId,
        delayMs: HOOK_SYNC_DELAY_MS,
        minGapMs,
        now,
      });
      return isEarlier ? [await tx.outbox.add({ kind: 'wake_integration', integrationId, now })] : [];
    }
    case 'require_full_sync':
      await tx.integrations.requireFullSync(integrationId);
      return [];
    case 'nothing':
      return [];
  }
}
