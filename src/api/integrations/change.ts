import { newId } from '../../db/new-id.ts';
import { publishQueuedScans } from '../../db/publish-queued-scans.ts';
import type { IntegrationChange, IntegrationRow } from '../../db/stores/integrations.ts';
import type { OutboxEntry } from '../../db/stores/outbox.ts';
import type { ReplacementResult } from '../../domain/command.ts';
import { SecuError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { Filters } from '../../domain/integration.ts';
import { rotatableOf } from '../../domain/rotation.ts';
import type { Secret } from '../../domain/secret.ts';
import { awaitCommand, wake } from '../commands.ts';
import type { ApiDeps, Asked } from '../deps.ts';
import { actorOf } from '../middleware/authenticate.ts';
import type { z } from '../shared.ts';
import { found } from '../shared.ts';
import { nameTaken, storeUniquely, tokenInUse } from './create.ts';
import { assertMayRotateItself, assertPossibleExpiry } from './rotate.ts';
import type { IntegrationPatch } from './schemas.ts';

const COMMAND_MS = 15_000;

interface On extends Asked {
  deps: ApiDeps;
  id: string;
}

type Change = On & { body: z.infer<typeof IntegrationPatch> };

/** Changes name, filters, pause or a known expiry date in one transaction, then wakes the workflow. */
export async function changeIntegration(input: Change): Promise<void> {
  const wakes = await storeUniquely(() => input.deps.database.transaction((tx) => storeChange(tx, input)));
  await wake(input.deps, wakes);
}

async function storeChange(
  tx: ApiDeps['database']['stores'],
  { deps, principal, requestId, id, body }: Change,
): Promise<OutboxEntry[]> {
  const now = deps.now();
  const row = found(await tx.integrations.lock(id), 'integration');
  const change: IntegrationChange = {};
  const events: NewEvent[] = [];
  const wakes: OutboxEntry[] = [];
  if (body.name !== undefined && body.name !== row.name) {
    const taken = await tx.integrations.takenNames();
    if (body.name.toLowerCase() !== row.name.toLowerCase() && taken.has(body.name.toLowerCase()))
      throw nameTaken(body.name);
    change.name = body.name;
  }
  if (body.expiresAt !== undefined) await setExpiry({ tx, id, expiresAt: body.expiresAt, now });
  if (body.autoRotate !== undefined) {
    if (body.autoRotate.enabled)
      await assertRotatable({ tx, row, daysBefore: body.autoRotate.daysBefore, now });
    change.autoRotateEnabled = body.autoRotate.enabled;
    change.autoRotateDaysBefore = body.autoRotate.daysBefore;
  }
  if (body.filters !== undefined) {
    change.filters = mergeFilters(row.filters, body.filters);
    // a running sync still has the old filters
    await tx.syncs.open({ integrationId: id, trigger: 'manual', requestId, now });
    await tx.syncs.runAgain(id);
  }
  if (body.paused !== undefined && body.paused !== row.paused) {
    change.paused = body.paused;
    events.push({
      kind: body.paused ? 'integration.paused' : 'integration.resumed',
      integrationId: id,
      actor: actorOf(principal),
      text: body.paused ? `${row.name} was paused.` : `${row.name} was resumed.`,
      data: { requestId },
    });
    if (!body.paused) {
      await tx.commands.add({ integrationId: id, kind: 'verify', requestId, now });
      wakes.push(await tx.outbox.add({ kind: 'wake_fleet', integrationId: id, now }));
    }
  }
  await tx.integrations.change(id, change, now);
  await tx.events.add(events, now);
  return [...wakes, await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })];
}

async function assertRotatable(input: {
  tx: ApiDeps['database']['stores'];
  row: IntegrationRow;
  daysBefore: number;
  now: Date;
}): Promise<void> {
  const { tx, row, daysBefore, now } = input;
  const credential = found(await tx.credentials.current(row.id), 'integration');
  assertMayRotateItself({
    token: rotatableOf({ integration: row, credential, inDoubt: false }),
    createdAt: credential.tokenCreatedAt?.toISOString() ?? null,
    daysBefore,
    nowMs: now.getTime(),
  });
}

export function mergeFilters(
  now: Filters,
  patch: NonNullable<z.infer<typeof IntegrationPatch>['filters']>,
): Filters {
  return {
    include: patch.include ?? now.include,
    exclude: patch.exclude ?? now.exclude,
    archived: patch.archived ?? now.archived,
    forks: patch.forks ?? now.forks,
    personal: patch.personal ?? now.personal,
  };
}

async function setExpiry({
  tx,
  id,
  expiresAt,
  now,
}: {
  tx: ApiDeps['database']['stores'];
  id: string;
  expiresAt: string;
  now: Date;
}): Promise<void> {
  assertPossibleExpiry(expiresAt, now);
  const credential = found(await tx.credentials.current(id), 'integration');
  if (credential.expiry.kind !== 'unknown' && !credential.granular) {
    throw new SecuError(
      'invalid_request',
      'expiresAt: GitLab reports when this token expires, so it cannot be set here',
    );
  }
  await tx.credentials.setExpiry({ id: credential.id, expiresOn: expiresAt });
}

/** Verifies the token now. @returns false on timeout; the verification continues in the background */
export async function verifyNow({ deps, requestId, id }: On): Promise<boolean> {
  const { commandId, wakes } = await orderVerification({ deps, requestId, id });
  const { sent } = await wake(deps, wakes);
  if (sent === 0) return false;
  return (await awaitCommand({ ...deps, kind: 'verify', commandId, timeoutMs: COMMAND_MS })) !== null;
}

async function orderVerification({
  deps,
  requestId,
  id,
}: {
  deps: ApiDeps;
  requestId: string;
  id: string;
}): Promise<{ commandId: string; wakes: OutboxEntry[] }> {
  const now = deps.now();
  return deps.database.transaction(async (tx) => {
    found(await tx.integrations.find(id), 'integration');
    const commandId = await tx.commands.add({ integrationId: id, kind: 'verify', requestId, now });
    return { commandId, wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })] };
  });
}

/**
* Replaces the token, if the new one is valid.
* @returns false on timeout; the replacement continues in the background
* @throws SecuError `token_in_use` | `reach_shrinks` | the cause of an invalid token | `gitlab_*`
 */
export async function replaceToken({
  deps,
  principal,
  requestId,
  id,
  token,
  acceptLoss,
}: On & { token: Secret; acceptLoss: boolean }): Promise<boolean> {
  const tokenHash = deps.hashToken(token);
  const { commandId, wakes } = await storeUniquely(() =>
    storeCandidate({ deps, principal, requestId, id, token, tokenHash, acceptLoss }),
  );
  const { sent } = await wake(deps, wakes);
  if (sent === 0) return false;
  const result = await awaitCommand({ ...deps, kind: 'replace_token', commandId, timeoutMs: COMMAND_MS });
  if (result === null) return false;
  if (result.code === 'ok') return true;
  throw refusal(result);
}

async function storeCandidate({
  deps,
  principal,
  requestId,
  id,
  token,
  tokenHash,
  acceptLoss,
}: On & { token: Secret; tokenHash: string; acceptLoss: boolean }): Promise<{
  commandId: string;
  wakes: OutboxEntry[];
}> {
  const now = deps.now();
  return deps.database.transaction(async (tx) => {
    found(await tx.integrations.lock(id), 'integration');
    const holder = await tx.credentials.integrationHolding(tokenHash);
    if (holder !== null) throw tokenInUse(holder);
    const credentialId = newId('credential');
    const version = await tx.credentials.nextVersion(id);
    const sealed = deps.vault.seal({
      context: { table: 'credential', rowId: credentialId, version },
      secret: token,
    });
    await tx.credentials.add({
      id: credentialId,
      integrationId: id,
      version,
      state: 'candidate',
      sealed: sealed.record,
      keyId: sealed.keyId,
      tokenHash,
      now,
    });
    const payload = { credentialId, acceptLoss, by: principal.id };
    const kind = 'replace_token';
    const commandId = await tx.commands.add({ integrationId: id, kind, payload, requestId, now });
    return { commandId, wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })] };
  });
}

function refusal(result: Exclude<ReplacementResult, { code: 'ok' }>): SecuError {
  const { code } = result;
  if (code !== 'reach_shrinks')
    return new SecuError(code, `the new token was refused (${code}); the current one stays in use`);
  const { known, lost, owner } = result;
  return new SecuError(
    code,
    `the new token does not reach ${lost} of ${known} repositories; send acceptLoss to replace it anyway`,
    {
      details: { known, lost, owner },
    },
  );
}

/** Wipes the token in this transaction, even when Temporal is unavailable; workflows, scans and rows are removed afterwards. */
export async function removeIntegration({ deps, principal, requestId, id }: On): Promise<void> {
  const now = deps.now();
  const wakes = await deps.database.transaction(async (tx) => {
    const row = found(await tx.integrations.lock(id), 'integration');
    await tx.integrations.remove({ id, now });
    await tx.credentials.wipeAll({ integrationId: id, now });
    await tx.events.add(
      [
        {
          kind: 'integration.removed',
          integrationId: id,
          actor: actorOf(principal),
          text: `${row.name} was removed.`,
          data: { requestId },
        },
      ],
      now,
    );
    return [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })];
  });
  await wake(deps, wakes);
}

/** Starts a sync, or joins the open one. */
export async function syncNow({
  deps,
  requestId,
  id,
  acceptRemovals,
}: On & { acceptRemovals: boolean }): Promise<{ syncId: string }> {
  const now = deps.now();
  const { syncId, wakes } = await deps.database.transaction(async (tx) => {
    found(await tx.integrations.lock(id), 'integration');
    const trigger = 'manual';
    const sync = await tx.syncs.open({ integrationId: id, trigger, acceptRemovals, requestId, now });
    return {
      syncId: sync.id,
      wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })],
    };
  });
  await wake(deps, wakes);
  return { syncId };
}

/** Queues a scan of every active repository. */
export async function scanAll({
  deps,
  requestId,
  id,
  full,
}: On & { full: boolean }): Promise<{ queued: number }> {
  const now = deps.now();
  const { queued, wakes } = await deps.database.transaction(async (tx) => {
    found(await tx.integrations.lock(id), 'integration');
    const queued = await tx.scans.queueAll({ integrationId: id, full, requestId, now });
    await publishQueuedScans({ tx, integrationId: id, queued, now });
    return { queued, wakes: [await tx.outbox.add({ kind: 'wake_fleet', integrationId: id, now })] };
  });
  await wake(deps, wakes);
  return { queued };
}
