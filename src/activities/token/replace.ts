import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import { sendWakes } from '../../db/wakes.ts';
import { isSecuError } from '../../domain/errors.ts';
import type { TokenWarning, VerificationOutcome } from '../../domain/integration.ts';
import type { Secret } from '../../domain/secret.ts';
import { verdictChange } from '../../domain/verdict-change.ts';
import { jitterOf, verdictOf } from '../../domain/verification.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import type { GitlabDeps } from '../deps.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { isOutage, isTokenRefusal, openToken } from './credential.ts';
import { observeToken } from './observe.ts';

/** How a replacement ended, as the waiting caller reads it from the command's row. */
export type ReplacementResult =
  | { code: 'ok' }
  | { code: 'reach_shrinks'; known: number; lost: number; owner: OwnerChange }
  | { code: string };

/** Usernames; the same twice where the owner stays. */
interface OwnerChange {
  before: string | null;
  after: string | null;
}

interface ReplaceInput {
  integrationId: string;
  commandId: string;
  nowMs: number;
}

/**
 * Looks at the candidate first; only a good one takes the current token's place, in one transaction that wipes the
 * old ciphertext. Anything else wipes the candidate and leaves the current one as it is.
 */
export function createReplaceToken(deps: GitlabDeps) {
  return async function replaceToken(input: ReplaceInput): Promise<{ code: string }> {
    return withHeartbeat(
      () => null,
      (signal) => runReplacement({ deps, input, signal }),
    );
  };
}

async function runReplacement({
  deps,
  input,
  signal,
}: {
  deps: GitlabDeps;
  input: ReplaceInput;
  signal: AbortSignal;
}): Promise<{ code: string }> {
  const { database, vault } = deps;
  const now = new Date(input.nowMs);
  const command = await database.stores.commands.find(input.commandId);
  addRequestIdToLog(deps.log, command?.requestId);
  const integration = await database.stores.integrations.find(input.integrationId);
  const credentialId = command?.payload['credentialId'];
  if (command === null || integration === null || typeof credentialId !== 'string')
    return { code: 'not_found' };
  const candidate = await database.stores.credentials.find(credentialId);
  if (candidate === null || candidate.state !== 'candidate') {
    return finishCommand({
      deps,
      input,
      result: { code: candidate?.state === 'current' ? 'ok' : 'internal' },
      now,
    });
  }
  const token = openToken({ vault, credential: candidate });
  const seen = await observeToken({ ...deps, baseUrl: integration.baseUrl, token, signal });
  const outcome = verdictOf(seen);
  const { requestId } = command;
  if (outcome.verdict !== 'active')
    return refuseCandidate({ deps, input, requestId, candidate, integration, code: outcome.cause, now });

  const reach = await readReach({ deps, integration, token, signal });
  if (typeof reach === 'string')
    return refuseCandidate({ deps, input, requestId, candidate, integration, code: reach, now });
  if (reach.lost > 0 && command.payload['acceptLoss'] !== true) {
    await database.stores.credentials.wipeCandidate({ id: candidate.id, now });
    const { known, lost } = reach;
    const current = await database.stores.credentials.current(integration.id);
    const owner = { before: current?.ownerUsername ?? null, after: outcome.token.owner.username };
    return finishCommand({ deps, input, result: { code: 'reach_shrinks', known, lost, owner }, now });
  }
  return installNewToken({ deps, input, requestId, candidate, outcome, reach, now });
}

interface Reach {
  known: number;
  lost: number;
  gained: number;
}

/** How much of what we know the new token reaches, or the code of why that cannot be said. */
async function readReach(input: {
  deps: GitlabDeps;
  integration: IntegrationRow;
  token: Secret;
  signal: AbortSignal;
}): Promise<Reach | string> {
  const api = input.deps.gitlab.forToken({ baseUrl: input.integration.baseUrl, token: input.token });
  try {
    const reached = await reachedIds({ api, signal: input.signal });
    const known = await input.deps.database.stores.listing.knownProjectIds(input.integration.id);
    const lost = known.filter((id) => !reached.has(id)).length;
    return { known: known.length, lost, gained: reached.size - (known.length - lost) };
  } catch (err) {
    if (isSecuError(err) && (isOutage(err) || isTokenRefusal(err))) return err.code;
    throw err;
  }
}

async function reachedIds({ api, signal }: { api: GitlabApi; signal: AbortSignal }): Promise<Set<number>> {
  const reached = new Set<number>();
  for (let after: number | null = null; ; ) {
    const page = await api.listProjectsPage({ idAfter: after, signal });
    for (const { gitlabProjectId } of page.repositories) reached.add(gitlabProjectId);
    if (page.lastId === null) return reached;
    after = page.lastId;
  }
}

async function refuseCandidate(input: {
  deps: GitlabDeps;
  input: ReplaceInput;
  requestId: string | null;
  candidate: CredentialRow;
  integration: IntegrationRow;
  code: string;
  now: Date;
}): Promise<{ code: string }> {
  const { deps, code, now } = input;
  await deps.database.transaction(async (tx) => {
    await tx.credentials.wipeCandidate({ id: input.candidate.id, now });
    const text = `${input.integration.name}: the new token was refused (${code}); the old one stays.`;
    await tx.events.add(
      [
        {
          kind: 'integration.token_refused',
          integrationId: input.integration.id,
          actor: 'system',
          text,
          data: { cause: code, requestId: input.requestId },
        },
      ],
      now,
    );
  });
  return finishCommand({ deps, input: input.input, result: { code }, now });
}

async function installNewToken(input: {
  deps: GitlabDeps;
  input: ReplaceInput;
  requestId: string | null;
  candidate: CredentialRow;
  outcome: VerificationOutcome & { verdict: 'active' };
  reach: Reach;
  now: Date;
}): Promise<{ code: string }> {
  const { deps, requestId, candidate, outcome, now } = input;
  const { integrationId, commandId } = input.input;
  const wakes = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    if (row === null) return [];
    const before = await tx.credentials.current(integrationId);
    const change = verdictChange({
      before: {
        ...row,
        cause: row.cause ?? null,
        reachabilityCause: row.reachabilityCause ?? null,
        suspected: false,
      },
      outcome,
      intervalMs: deps.settings.verifyIntervalMs,
      jitter: jitterOf(integrationId),
    });
    await tx.rotations.supersede({ integrationId, now });
    await tx.credentials.promote({ id: candidate.id, integrationId, now });
    await tx.credentials.recordFacts({ id: candidate.id, token: outcome.token, now });
    const { suspected: _settled, ...verdict } = change.next;
    await tx.integrations.change(
      integrationId,
      {
        ...verdict,
        reachabilitySince: row.reachability === 'reachable' ? row.reachabilitySince : now,
        suspectedAt: null,
        lastVerifiedAt: now,
        nextVerifyAt: change.againInMs === null ? null : new Date(now.getTime() + change.againInMs),
        warnings: [...outcome.warnings, ...replacementWarnings({ row, before, outcome, reach: input.reach })],
      },
      now,
    );
    const { lost, gained } = input.reach;
    const acceptRemovals = lost > 0;
    await tx.syncs.open({ integrationId, trigger: 'manual', acceptRemovals, requestId, now });
    await tx.events.add(
      [
        {
          kind: 'integration.token_replaced',
          integrationId,
          actor: 'system',
          text: `${row.name}: the token was replaced.`,
          data: {
            lost,
            gained,
            before: {
              status: row.verdict,
              cause: row.cause ?? null,
              gitlabTokenId: before?.gitlabTokenId ?? null,
              owner: before?.ownerUsername ?? null,
              expiresAt: before?.expiresOn ?? null,
            },
            after: {
              status: 'active',
              cause: null,
              gitlabTokenId: outcome.token.gitlabTokenId,
              owner: outcome.token.owner.username,
              expiresAt: outcome.token.expiresAt ?? null,
            },
            requestId,
          },
        },
      ],
      now,
    );
    await tx.commands.finish({ id: commandId, result: { code: 'ok' }, now });
    return [await tx.outbox.add({ kind: 'wake_fleet', integrationId, now })];
  });
  await sendWakes(deps, wakes);
  return { code: 'ok' };
}

function replacementWarnings(input: {
  row: IntegrationRow;
  before: CredentialRow | null;
  outcome: VerificationOutcome & { verdict: 'active' };
  reach: Reach;
}): TokenWarning[] {
  const warnings: TokenWarning[] = [];
  const oldOwner = input.before?.ownerUsername ?? null;
  const newOwner = input.outcome.token.owner.username;
  if (oldOwner !== null && newOwner !== null && oldOwner !== newOwner) warnings.push('owner_changed');
  const wasListed = input.row.lastSyncAt !== null && input.row.lastSyncAt !== undefined;
  if (input.reach.lost > 0) warnings.push('reach_reduced');
  if (input.reach.gained > 0 && wasListed) warnings.push('reach_grown');
  return warnings;
}

async function finishCommand(input: {
  deps: GitlabDeps;
  input: ReplaceInput;
  result: ReplacementResult;
  now: Date;
}): Promise<{ code: string }> {
  await input.deps.database.stores.commands.finish({
    id: input.input.commandId,
    result: { ...input.result },
    now: input.now,
  });
  return { code: input.result.code };
}
