import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import { sendWakes } from '../../db/wakes.ts';
import type { InvalidCause, ReachabilityCause } from '../../domain/causes.ts';
import { INVALID_CAUSES, REACHABILITY_CAUSES } from '../../domain/causes.ts';
import type { CommandPayloads, ReplacementRefusal, ReplacementResult } from '../../domain/command.ts';
import { isSecuError, SecuError } from '../../domain/errors.ts';
import type { TokenWarning, VerificationOutcome } from '../../domain/integration.ts';
import type { Secret } from '../../domain/secret.ts';
import { expiryDate } from '../../domain/token-expiry.ts';
import { verdictChange } from '../../domain/verdict-change.ts';
import { jitterOf, verdictOf } from '../../domain/verification.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import type { GitlabDeps } from '../deps.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { isOutage, isTokenRefusal, openToken } from './credential.ts';
import { observeToken } from './observe.ts';

interface ReplaceInput {
  integrationId: string;
  commandId: string;
  nowMs: number;
}

/** One replacement: its command and the candidate token. */
interface Replacement {
  integrationId: string;
  commandId: string;
  requestId: string | null;
  payload: CommandPayloads['replace_token'];
  candidate: CredentialRow;
  integration: IntegrationRow;
  now: Date;
}

type ActiveOutcome = VerificationOutcome & { verdict: 'active' };

/**
 * Verifies the candidate first. A good one becomes the current token, in one transaction that wipes the old
 * ciphertext. Otherwise the candidate is wiped and the current token stays.
 */
export function createReplaceToken(deps: GitlabDeps) {
  const { stores } = deps.database;

  return async function replaceToken(input: ReplaceInput): Promise<{ code: ReplacementResult['code'] }> {
    const { integrationId, commandId } = input;
    const now = new Date(input.nowMs);
    const command = await stores.commands.find({ id: commandId, kind: 'replace_token' });
    addRequestIdToLog(deps.log, command?.requestId);
    const integration = await stores.integrations.find(integrationId);
    if (command === null || integration === null) return { code: 'not_found' };
    const candidate = await stores.credentials.find(command.payload.credentialId);
    const result = await withHeartbeat(
      () => null,
      async (signal): Promise<ReplacementResult> => {
        // an earlier attempt of this activity may have finished although its answer was lost
        if (candidate?.state !== 'candidate')
          return { code: candidate?.state === 'current' ? 'ok' : 'internal' };
        const { requestId, payload } = command;
        const replacement = { integrationId, commandId, requestId, payload, candidate, integration, now };
        return verifyAndInstall(deps, replacement, signal);
      },
    );
    // does nothing if `installNewToken` has finished the command in its own transaction
    await stores.commands.finish({ id: commandId, kind: 'replace_token', result, now });
    return { code: result.code };
  };
}

async function verifyAndInstall(
  deps: GitlabDeps,
  replacement: Replacement,
  signal: AbortSignal,
): Promise<ReplacementResult> {
  const { candidate, integration, payload, now } = replacement;
  const { stores } = deps.database;
  const token = openToken({ vault: deps.vault, credential: candidate });
  const observed = await observeToken({
    ...deps,
    baseUrl: integration.baseUrl,
    token,
    interactive: true,
    signal,
  });
  const outcome = verdictOf(observed);
  if (outcome.verdict !== 'active') return refuseCandidate(deps, replacement, outcome.cause);
  const reach = await readReach(deps, { integration, token, signal });
  if (typeof reach === 'string') return refuseCandidate(deps, replacement, reach);
  if (reach.lost > 0 && !payload.acceptLoss) {
    // another attempt of this activity may have installed or wiped it
    if (!(await stores.credentials.wipeCandidate({ id: candidate.id, now }))) return { code: 'internal' };
    const current = await stores.credentials.current(integration.id);
    const owner = { before: current?.ownerUsername ?? null, after: outcome.token.owner.username };
    return { code: 'reach_shrinks', known: reach.known, lost: reach.lost, owner };
  }
  return installNewToken(deps, replacement, { outcome, reach });
}

interface Reach {
  known: number;
  lost: number;
  gained: number;
}

/** Counts the known repositories that the new token reaches. @returns the counts, or why they could not be read */
async function readReach(
  deps: GitlabDeps,
  input: { integration: IntegrationRow; token: Secret; signal: AbortSignal },
): Promise<Reach | InvalidCause | ReachabilityCause> {
  const api = deps.gitlab.forToken({
    baseUrl: input.integration.baseUrl,
    token: input.token,
    interactive: true,
  });
  try {
    const reached = await reachedIds({ api, signal: input.signal });
    const known = await deps.database.stores.listing.knownProjectIds(input.integration.id);
    const lost = known.filter((id) => !reached.has(id)).length;
    return { known: known.length, lost, gained: reached.size - (known.length - lost) };
  } catch (err) {
    if (!isSecuError(err) || !(isOutage(err) || isTokenRefusal(err))) throw err;
    const cause = [...INVALID_CAUSES, ...REACHABILITY_CAUSES].find((known) => known === err.code);
    return cause ?? 'gitlab_unreachable';
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

async function refuseCandidate(
  deps: GitlabDeps,
  { candidate, integration, requestId, payload, now }: Replacement,
  code: ReplacementRefusal,
): Promise<ReplacementResult> {
  await deps.database.transaction(async (tx) => {
    if (!(await tx.credentials.wipeCandidate({ id: candidate.id, now }))) return;
    const text = `${integration.name}: the new token was refused (${code}); the old one stays.`;
    await tx.events.add(
      [
        {
          kind: 'integration.token_refused',
          integrationId: integration.id,
          actor: payload.by ?? 'system',
          text,
          data: { cause: code, requestId },
        },
      ],
      now,
    );
  });
  return { code };
}

/**
 * Installs the token in one transaction. If two attempts overlap, the second one finds no candidate and changes
 * nothing.
 */
async function installNewToken(
  deps: GitlabDeps,
  replacement: Replacement,
  verified: { outcome: ActiveOutcome; reach: Reach },
): Promise<ReplacementResult> {
  const { integrationId, commandId, candidate, requestId, payload, now } = replacement;
  const actor = payload.by ?? 'system';
  const { wakes, result } = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    if (row === null) return { wakes: [], result: { code: 'not_found' } as const };
    const before = await tx.credentials.current(integrationId);
    if (!(await tx.credentials.promote({ id: candidate.id, integrationId, now }))) {
      const code: 'ok' | 'internal' = before?.id === candidate.id ? 'ok' : 'internal';
      return { wakes: [], result: { code } };
    }
    await tx.rotations.supersede({ integrationId, now });
    const { outcome, reach } = verified;
    await tx.credentials.recordFacts({ id: candidate.id, token: outcome.token, now });
    await changeIntegration({ deps, tx, row, before, outcome, reach, now });
    const acceptRemovals = reach.lost > 0;
    await tx.syncs.open({ integrationId, trigger: 'manual', acceptRemovals, requestId, now });
    await tx.events.add([replacedEvent({ row, before, outcome, reach, requestId, actor })], now);
    const done = { code: 'ok' } as const;
    await tx.commands.finish({ id: commandId, kind: 'replace_token', result: done, now });
    return { wakes: [await tx.outbox.add({ kind: 'wake_fleet', integrationId, now })], result: done };
  });
  await sendWakes(deps, wakes);
  return result;
}

interface Installed {
  row: IntegrationRow;
  before: CredentialRow | null;
  outcome: ActiveOutcome;
  reach: Reach;
}

async function changeIntegration(
  input: Installed & { deps: GitlabDeps; tx: Stores; now: Date },
): Promise<void> {
  const { deps, tx, row, outcome, now } = input;
  const change = verdictChange({
    before: { ...row, suspected: false },
    outcome,
    intervalMs: deps.settings.verifyIntervalMs,
    jitter: jitterOf(row.id),
  });
  const { suspected: _cleared, ...verdict } = change.next;
  const changed = await tx.integrations.change(
    row.id,
    {
      ...verdict,
      reachabilitySince: row.reachability === 'reachable' ? row.reachabilitySince : now,
      suspectedAt: null,
      lastVerifiedAt: now,
      nextVerifyAt: change.againInMs === null ? null : new Date(now.getTime() + change.againInMs),
      warnings: [...outcome.warnings, ...replacementWarnings(input)],
    },
    now,
  );
  if (!changed) throw new SecuError('internal', 'the integration changed under its lock');
}

function replacedEvent(input: Installed & { requestId: string | null; actor: string }) {
  const { row, before, outcome, reach, requestId, actor } = input;
  return {
    kind: 'integration.token_replaced' as const,
    integrationId: row.id,
    actor,
    text: `${row.name}: the token was replaced.`,
    data: {
      lost: reach.lost,
      gained: reach.gained,
      before: {
        status: row.verdict,
        cause: row.cause,
        gitlabTokenId: before?.gitlabTokenId ?? null,
        owner: before?.ownerUsername ?? null,
        expiresAt: before === null ? null : expiryDate(before.expiry),
      },
      after: {
        status: 'active',
        cause: null,
        gitlabTokenId: outcome.token.gitlabTokenId,
        owner: outcome.token.owner.username,
        expiresAt: expiryDate(outcome.token.expiry),
      },
      requestId,
    },
  };
}

function replacementWarnings({ row, before, outcome, reach }: Installed): TokenWarning[] {
  const warnings: TokenWarning[] = [];
  const oldOwner = before?.ownerUsername ?? null;
  const newOwner = outcome.token.owner.username;
  if (oldOwner !== null && newOwner !== null && oldOwner !== newOwner) warnings.push('owner_changed');
  if (reach.lost > 0) warnings.push('reach_reduced');
  if (reach.gained > 0 && row.lastSyncAt !== null) warnings.push('reach_grown');
  return warnings;
}
