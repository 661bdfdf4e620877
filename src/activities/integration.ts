import type { CredentialRow } from '../db/stores/credentials.ts';
import type { Stores } from '../db/stores/index.ts';
import type { IntegrationRow } from '../db/stores/integrations.ts';
import type { RotationRow } from '../db/stores/rotations.ts';
import type { CommandCompletion, CommandKind } from '../domain/command.ts';
import type { NewEvent } from '../domain/event.ts';
import { statusOf } from '../domain/integration.ts';
import { quietUntilMs } from '../domain/quiet-hours.ts';
import { autoRotateMs, nextAutoTryMs } from '../domain/rotation.ts';
import type { DueAction } from '../domain/schedule.ts';
import { nextAction } from '../domain/schedule.ts';
import { dueFlag, expiryDate, standingFlag } from '../domain/token-expiry.ts';
import { jitterOf } from '../domain/verification.ts';
import type { ActivityDeps } from './deps.ts';
import { addRequestIdToLog } from './log-request-id.ts';

export type PlannedAction = DueAction;

export interface IntegrationPlan {
  action: PlannedAction;
  status: string;
}

export type IntegrationActivities = ReturnType<typeof createIntegrationActivities>;

interface AtTime {
  integrationId: string;
  /** The clock of the workflow. */
  nowMs: number;
}

/** The database work of the integration workflow. */
export function createIntegrationActivities(deps: ActivityDeps) {
  return {
    /** Reads the rows, claims the oldest command and returns the next action. */
    async planIntegration(input: AtTime): Promise<IntegrationPlan> {
      return planIntegration(deps, input);
    },

    /**
     * Flags the current token once per threshold, with an event. An expired token is verified at once; only that
     * verification may call it invalid.
     */
    async flagExpiry(input: AtTime & { thresholdDays: number }): Promise<{ flagged: boolean }> {
      return flagExpiry(deps, input);
    },

    /** Ends a command whose action failed permanently, so that it is not claimed again. */
    async abandonCommand(input: AtTime & { commandId: string; kind: CommandKind }): Promise<void> {
      return abandonCommand(deps, input);
    },

    /** Stops everything that runs for a removed integration, and deletes its rows. */
    async cleanUpIntegration({ integrationId }: AtTime): Promise<void> {
      await deps.starters.cancelAll(integrationId);
      await deps.database.stores.integrations.deleteRemoved(integrationId);
    },
  };
}

async function planIntegration(
  { database, log, settings }: ActivityDeps,
  { integrationId, nowMs }: AtTime,
): Promise<IntegrationPlan> {
  const { stores } = database;
  const integration = await stores.integrations.find(integrationId);
  if (integration === null) return { action: { do: 'clean_up' }, status: 'removed' };
  const credential = await stores.credentials.current(integrationId);
  const command = await stores.commands.claimOldest({ integrationId, now: new Date(nowMs) });
  const sync = await stores.syncs.findOpen(integrationId);
  addRequestIdToLog(log, command?.requestId);
  const openRotation = await stores.rotations.open(integrationId);
  const lastRotation = await stores.rotations.last(integrationId);
  const action = nextAction({
    nowMs,
    thresholds: settings.expiryThresholds,
    snapshot: {
      removed: false,
      verdict: integration.verdict,
      paused: integration.paused,
      nextVerifyMs: integration.nextVerifyAt?.getTime() ?? null,
      nextSyncMs: earliest(
        integration.nextSyncAt,
        // hints that arrive while a sync runs lead to one after it
        sync?.state === 'running' ? null : await stores.hooks.syncDueAt(integrationId),
      ),
      nextCheckMs: await nextCheckMs({ stores, integrationId, settings }),
      quietUntilMs: quietUntilMs(settings.quietHours, nowMs),
      syncQueued: sync?.state === 'queued',
      expiry: credential?.expiry ?? { kind: 'unknown' },
      flagged: credential === null ? null : flaggedOf(credential, nowMs),
      command,
      rotation: openRotation === null ? null : rotationInDoubt(openRotation, nowMs),
      nextRotateMs: nextRotateMs({ integration, credential, last: lastRotation, nowMs }),
    },
  });
  return { action, status: statusOf(integration) };
}

function earliest(...times: (Date | null | undefined)[]): number | null {
  const known = times.flatMap((at) => (at == null ? [] : [at.getTime()]));
  return known.length === 0 ? null : Math.min(...known);
}

/** When the next repository was not looked at for the scan interval. */
async function nextCheckMs(input: {
  stores: Stores;
  integrationId: string;
  settings: ActivityDeps['settings'];
}): Promise<number | null> {
  const { stores, integrationId, settings } = input;
  if (settings.scanIntervalMs === 0) return null;
  const oldest = await stores.repositories.oldestCheck(integrationId);
  return oldest === null ? null : oldest.getTime() + settings.scanIntervalMs;
}

function rotationInDoubt({ id, workerId, nextCheckAt }: RotationRow, nowMs: number) {
  return { attemptId: id, workerId, nextCheckMs: nextCheckAt?.getTime() ?? nowMs };
}

async function flagExpiry(
  { database, settings }: ActivityDeps,
  input: AtTime & { thresholdDays: number },
): Promise<{ flagged: boolean }> {
  const { integrationId, thresholdDays } = input;
  const now = new Date(input.nowMs);
  return database.transaction(async (tx) => {
    const integration = await tx.integrations.lock(integrationId);
    const credential = await tx.credentials.current(integrationId);
    if (integration === null || credential === null) return { flagged: false };
    // decided again from the current row: the token or its date may have changed since the plan
    const due = dueFlag({
      expiry: credential.expiry,
      nowMs: input.nowMs,
      thresholds: settings.expiryThresholds,
      flagged: flaggedOf(credential, input.nowMs),
    });
    if (due !== thresholdDays) return { flagged: false };
    const flagged = await tx.credentials.flag({ id: credential.id, thresholdDays, now });
    if (!flagged) return { flagged };
    await tx.events.add([flagEvent({ integration, credential, thresholdDays })], now);
    const isExpired = thresholdDays === 0;
    if (isExpired) await tx.integrations.changeLocked(integrationId, { nextVerifyAt: now }, now);
    return { flagged };
  });
}

function flagEvent(input: {
  integration: IntegrationRow;
  credential: CredentialRow;
  thresholdDays: number;
}): NewEvent {
  const { integration, thresholdDays } = input;
  const expiresAt = expiryDate(input.credential.expiry);
  const base = {
    integrationId: integration.id,
    actor: 'system',
    data: { thresholdDays, expiresAt },
  };
  if (thresholdDays === 0)
    return { ...base, kind: 'integration.expired', text: `The token of ${integration.name} has expired.` };
  const days = `${thresholdDays} ${thresholdDays === 1 ? 'day' : 'days'}`;
  return {
    ...base,
    kind: 'integration.expiry_flagged',
    text: `The token of ${integration.name} expires in ${days} or less, on ${expiresAt}.`,
  };
}

async function abandonCommand(
  { database, log }: ActivityDeps,
  input: AtTime & { commandId: string; kind: CommandKind },
): Promise<void> {
  const { integrationId, commandId: id, kind } = input;
  const now = new Date(input.nowMs);
  await database.transaction(async (tx) => {
    const completion: CommandCompletion =
      kind === 'verify' ? { kind, result: { verdict: 'internal' } } : { kind, result: { code: 'internal' } };
    if (!(await tx.commands.finish({ id, ...completion, now }))) return;
    if (kind === 'replace_token') await tx.credentials.wipeCandidates({ integrationId, now });
    log.error({ integrationId, commandId: id, kind }, 'a command was abandoned: its action keeps failing');
  });
}

/** When the next automatic rotation is due, `null` if none is. A failed one is tried again later. */
function nextRotateMs(input: {
  integration: IntegrationRow;
  credential: CredentialRow | null;
  last: RotationRow | null;
  nowMs: number;
}): number | null {
  const { integration, credential, last, nowMs } = input;
  if (!integration.autoRotateEnabled || credential === null) return null;
  const createdAt = credential.tokenCreatedAt ?? credential.currentAt;
  return autoRotateMs({
    expiry: credential.expiry,
    createdAt: createdAt?.toISOString() ?? null,
    daysBefore: integration.autoRotateDaysBefore,
    retryMs:
      last === null ? null : nextAutoTryMs({ ...last, atMs: last.createdAt.getTime(), code: last.code }),
    jitter: jitterOf(integration.id),
    nowMs,
  });
}

function flaggedOf(
  { flag, flaggedAt }: Pick<CredentialRow, 'flag' | 'flaggedAt'>,
  nowMs: number,
): number | null {
  return standingFlag({ flag, flaggedAtMs: flaggedAt?.getTime() ?? null, nowMs });
}
