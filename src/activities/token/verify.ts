import { Context } from '@temporalio/activity';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationChange, IntegrationRow } from '../../db/stores/integrations.ts';
import type { OutboxEntry } from '../../db/stores/outbox.ts';
import { sendWakes } from '../../db/wakes.ts';
import { adviceFor } from '../../domain/causes.ts';
import type { TokenWarning } from '../../domain/integration.ts';
import type { VerdictChange } from '../../domain/verdict-change.ts';
import { verdictChange } from '../../domain/verdict-change.ts';
import { jitterOf, verdictOf } from '../../domain/verification.ts';
import type { GitlabDeps } from '../deps.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { currentCredential, openToken } from './credential.ts';
import { observeToken } from './observe.ts';
import { createReplaceToken } from './replace.ts';

export interface VerifyResult {
  status: string;
  /** `suspicion`: the first refusal of a token that worked; it must be verified a second time. */
  suspicion: boolean;
}

export type VerifyActivities = ReturnType<typeof createVerifyActivities>;

export function createVerifyActivities(deps: GitlabDeps) {
  const { database, vault, settings } = deps;
  return {
    /** Verifies the current token and writes the verdict, unless the token was replaced meanwhile. */
    async verifyToken(input: {
      integrationId: string;
      commandId: string | null;
      nowMs: number;
    }): Promise<VerifyResult> {
      const { integrationId, commandId } = input;
      const now = new Date(input.nowMs);
      const found = await currentCredential(database.stores, integrationId);
      if (found === null) return recordMissingToken({ deps, integrationId, commandId, now });
      const { integration, credential } = found;
      const command =
        commandId === null ? null : await database.stores.commands.find({ id: commandId, kind: 'verify' });
      const requestId = command?.requestId ?? null;
      addRequestIdToLog(deps.log, requestId);
      if ((await database.stores.rotations.open(integrationId))?.state === 'intent')
        return postponeUntilRotationResolved({ deps, integrationId, commandId, now });
      const observed = await observeToken({
        ...deps,
        baseUrl: integration.baseUrl,
        token: openToken({ vault, credential }),
        interactive: commandId !== null,
        signal: Context.current().cancellationSignal,
      });
      const outcome = verdictOf(observed);

      const { result, wakes } = await database.transaction(async (tx) => {
        const row = await tx.integrations.lock(integrationId);
        const current = await tx.credentials.current(integrationId);
        if (row === null || current?.id !== credential.id) {
          return { result: { status: 'superseded', suspicion: false }, wakes: [] };
        }
        const change = verdictChange({
          before: { ...row, suspected: row.suspectedAt !== null },
          outcome,
          intervalMs: settings.verifyIntervalMs,
          jitter: jitterOf(integrationId),
        });
        const wakes = await recordVerdict({ tx, row, change, credentialId: credential.id, requestId, now });
        if (commandId !== null && !change.suspicion) {
          const result = { verdict: change.next.verdict };
          await tx.commands.finish({ id: commandId, kind: 'verify', result, now });
        }
        return { result: { status: change.next.verdict, suspicion: change.suspicion }, wakes };
      });
      await sendWakes(deps, wakes);
      return result;
    },

    replaceToken: createReplaceToken(deps),
  };
}

const ROTATION_CHECK_MS = 60_000;

/** Postpones the verification while a rotation is open: `resolveRotation` checks the old token and decides. */
async function postponeUntilRotationResolved(input: {
  deps: GitlabDeps;
  integrationId: string;
  commandId: string | null;
  now: Date;
}): Promise<VerifyResult> {
  const { deps, integrationId, commandId, now } = input;
  await deps.database.transaction(async (tx) => {
    if ((await tx.integrations.lock(integrationId)) === null) return;
    const nextVerifyAt = new Date(now.getTime() + ROTATION_CHECK_MS);
    await tx.integrations.changeLocked(integrationId, { nextVerifyAt }, now);
    if (commandId !== null)
      await tx.commands.finish({
        id: commandId,
        kind: 'verify',
        result: { verdict: 'rotation_in_doubt' },
        now,
      });
  });
  return { status: 'rotation_in_doubt', suspicion: false };
}

/**
 * Makes an integration without a current token invalid: its credential row is lost, for example by restoring a part of
 * a backup. Does nothing to a removed integration.
 */
async function recordMissingToken(input: {
  deps: GitlabDeps;
  integrationId: string;
  commandId: string | null;
  now: Date;
}): Promise<VerifyResult> {
  const { deps, integrationId, commandId: id, now } = input;
  const { verifyIntervalMs } = deps.settings;
  const { status, wakes } = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    const isMissing = row !== null && (await tx.credentials.current(integrationId)) === null;
    // an integration that is invalid already has the more exact cause
    const isNew = isMissing && row.verdict !== 'invalid';
    const verdict = isNew ? 'invalid' : (row?.verdict ?? 'pending');
    if (id !== null) await tx.commands.finish({ id, kind: 'verify', result: { verdict }, now });
    if (row === null) return { status: 'removed', wakes: [] };
    if (!isNew) {
      const nextVerifyAt = verifyIntervalMs === 0 ? null : new Date(now.getTime() + verifyIntervalMs);
      await tx.integrations.changeLocked(integrationId, { nextVerifyAt }, now);
      return { status: verdict, wakes: [] };
    }
    const change = verdictChange({
      before: { ...row, suspected: row.suspectedAt !== null },
      outcome: { verdict: 'invalid', cause: 'token_missing', token: null },
      intervalMs: verifyIntervalMs,
      jitter: jitterOf(integrationId),
    });
    return {
      status: verdict,
      wakes: await recordVerdict({ tx, row, change, credentialId: null, requestId: null, now }),
    };
  });
  await sendWakes(deps, wakes);
  return { status, suspicion: false };
}

/** True for warnings that compare a token with the previous one; they apply until the next replacement. */
function isReplacementWarning(warning: TokenWarning): boolean {
  return warning === 'owner_changed' || warning === 'reach_reduced' || warning === 'reach_grown';
}

async function recordVerdict(input: {
  tx: Stores;
  row: IntegrationRow;
  change: VerdictChange;
  /** `null` if there is no current token. */
  credentialId: string | null;
  requestId: string | null;
  now: Date;
}): Promise<OutboxEntry[]> {
  const { tx, row, change, now } = input;
  const { next } = change;
  await tx.integrations.changeLocked(row.id, verdictColumns(row, change, now), now);
  if (change.token !== null && input.credentialId !== null)
    await tx.credentials.recordFacts({ id: input.credentialId, token: change.token, now });
  if (change.event !== null) {
    await tx.events.add(
      [
        {
          kind: change.event,
          integrationId: row.id,
          actor: 'system',
          text: eventText(row, change),
          data: eventData(row, change),
        },
      ],
      now,
    );
  }
  if (change.event === 'integration.unreachable') await tx.scans.resetRetryDelays(row.id);
  if (change.event === 'integration.verified' || change.event === 'integration.recovered') {
    return startSyncAndWakeFleet({
      tx,
      integrationId: row.id,
      firstTime: row.lastSyncAt === null,
      verified: change.event === 'integration.verified',
      requestId: input.requestId,
      now,
    });
  }
  // the end of a wrong suspicion has no event, but scans wait for it
  const cleared = row.suspectedAt !== null && next.verdict === 'active' && !next.suspected;
  return cleared ? [await tx.outbox.add({ kind: 'wake_fleet', integrationId: row.id, now })] : [];
}

/** The columns of an integration that a verification changes. */
function verdictColumns(row: IntegrationRow, change: VerdictChange, now: Date): IntegrationChange {
  const { next } = change;
  const reachabilityMoved =
    next.reachability !== row.reachability || next.reachabilityCause !== row.reachabilityCause;
  return {
    verdict: next.verdict,
    cause: next.cause,
    reachability: next.reachability,
    reachabilityCause: next.reachabilityCause,
    reachabilitySince: reachabilityMoved ? now : row.reachabilitySince,
    suspectedAt: next.suspected ? (row.suspectedAt ?? now) : null,
    verifyFailures: next.verifyFailures,
    nextVerifyAt: change.againInMs === null ? null : new Date(now.getTime() + change.againInMs),
    ...(change.warnings === null
      ? {}
      : { warnings: [...change.warnings, ...row.warnings.filter(isReplacementWarning)] }),
    ...(next.reachability === 'unreachable' ? {} : { lastVerifiedAt: now }),
  };
}

/** After the token works (again): queues a sync and wakes the fleet for waiting scans. */
async function startSyncAndWakeFleet(input: {
  tx: Stores;
  integrationId: string;
  firstTime: boolean;
  verified: boolean;
  requestId: string | null;
  now: Date;
}): Promise<OutboxEntry[]> {
  const { tx, integrationId, requestId, now } = input;
  if (input.firstTime) await tx.syncs.open({ integrationId, trigger: 'created', requestId, now });
  else if (input.verified) await tx.syncs.open({ integrationId, trigger: 'schedule', requestId, now });
  return [await tx.outbox.add({ kind: 'wake_fleet', integrationId, now })];
}

function eventText(row: IntegrationRow, { next, event }: VerdictChange): string {
  switch (event) {
    case 'integration.verified':
      return `${row.name}: the token works.`;
    case 'integration.recovered':
      return `${row.name}: GitLab answers again.`;
    case 'integration.invalid':
      return `${row.name}: the token does not work. ${adviceFor(next.cause) ?? ''}`;
    default:
      return `${row.name}: no verdict. ${adviceFor(next.reachabilityCause) ?? ''}`;
  }
}

function eventData(row: IntegrationRow, { next }: VerdictChange): Record<string, unknown> {
  return {
    before: { status: row.verdict, cause: row.cause, reachability: row.reachability },
    after: {
      status: next.verdict,
      cause: next.cause ?? next.reachabilityCause,
      reachability: next.reachability,
    },
  };
}
