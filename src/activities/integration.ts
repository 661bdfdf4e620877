import { statusOf } from '../domain/integration.ts';
import type { DueAction } from '../domain/schedule.ts';
import { nextAction } from '../domain/schedule.ts';
import type { ActivityDeps } from './deps.ts';
import { noteRequest } from './note-request.ts';

export type PlannedAction = DueAction;

export interface IntegrationPlan {
  action: PlannedAction;
  status: string;
}

export type IntegrationActivities = ReturnType<typeof createIntegrationActivities>;

/** What an integration's workflow asks of the database. `nowMs` is the workflow's own clock. */
export function createIntegrationActivities({ database, starters, log, settings }: ActivityDeps) {
  const { stores } = database;
  return {
    /** Reads the rows, claims the oldest command and says what to do next. */
    async planIntegration({
      integrationId,
      nowMs,
    }: {
      integrationId: string;
      nowMs: number;
    }): Promise<IntegrationPlan> {
      const integration = await stores.integrations.find(integrationId);
      if (integration === null) return { action: { do: 'clean_up' }, status: 'removed' };
      const [credential, command, sync] = [
        await stores.credentials.current(integrationId),
        await stores.commands.claimOldest({ integrationId, now: new Date(nowMs) }),
        await stores.syncs.openOne(integrationId),
      ];
      noteRequest(log, command?.requestId);
      const action = nextAction({
        nowMs,
        thresholds: settings.expiryThresholds,
        seen: {
          removed: false,
          verdict: integration.verdict,
          paused: integration.paused,
          nextVerifyMs: integration.nextVerifyAt?.getTime() ?? null,
          nextSyncMs: integration.nextSyncAt?.getTime() ?? null,
          syncQueued: sync?.state === 'queued',
          expiresAt: credential?.expiryKnown === true ? (credential.expiresOn ?? null) : undefined,
          flagged: credential?.flag ?? null,
          command,
        },
      });
      return { action, status: statusOf(integration) };
    },

    /**
     * Flags the current token once per threshold: a row, an event, a field. At death it is verified at once, and only
     * that verification may call it invalid.
     */
    async flagExpiry(input: {
      integrationId: string;
      thresholdDays: number;
      nowMs: number;
    }): Promise<{ flagged: boolean }> {
      const { integrationId, thresholdDays } = input;
      const now = new Date(input.nowMs);
      return database.transaction(async (tx) => {
        const integration = await tx.integrations.lock(integrationId);
        const credential = await tx.credentials.current(integrationId);
        if (integration === null || credential === null) return { flagged: false };
        const flagged = await tx.credentials.flag({ id: credential.id, thresholdDays, now });
        if (!flagged) return { flagged };
        const dead = thresholdDays === 0;
        await tx.events.add(
          [
            {
              kind: dead ? 'integration.expired' : 'integration.expiry_flagged',
              integrationId,
              actor: 'system',
              text: dead
                ? `The token of ${integration.name} has expired.`
                : `The token of ${integration.name} expires in ${thresholdDays} ${thresholdDays === 1 ? 'day' : 'days'} or less, on ${credential.expiresOn}.`,
              data: { thresholdDays, expiresAt: credential.expiresOn },
            },
          ],
          now,
        );
        if (dead) await tx.integrations.change(integrationId, { nextVerifyAt: now }, now);
        return { flagged };
      });
    },

    /** A removed integration: stops what runs for it and deletes its rows. */
    async cleanUpIntegration({ integrationId }: { integrationId: string; nowMs: number }): Promise<void> {
      await starters.cancelAll(integrationId);
      await stores.integrations.deleteRemoved(integrationId);
    },
  };
}
