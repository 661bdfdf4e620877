import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import type { RotationRow } from '../../db/stores/rotations.ts';
import { sendWakes } from '../../db/wakes.ts';
import type { CommandResults } from '../../domain/command.ts';
import { SecuError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import type { TokenFacts } from '../../domain/integration.ts';
import type { RotationEntry } from '../../domain/ports.ts';
import type { RotationFailure } from '../../domain/rotation.ts';
import { lostRotationText } from '../../domain/rotation.ts';
import { expiryDate } from '../../domain/token-expiry.ts';
import type { RotationDeps } from '../deps.ts';
import type { RotationResult } from './result.ts';
import { openResult } from './result.ts';

interface EndInput {
  deps: RotationDeps;
  attempt: RotationRow;
  now: Date;
}

/**
 * Makes the new token the current one. The ciphertext of the old token stays until the new one is verified. The
 * token may arrive late from a journal, even after the attempt was declared lost, unless a person replaced the
 * token meanwhile.
 * @returns false if it is already stored, or another token is current
 */
export async function commitRotation({
  deps,
  attempt,
  entry,
  now,
}: EndInput & { entry: RotationEntry }): Promise<boolean> {
  const context = { table: 'credential', rowId: attempt.newCredentialId, version: attempt.newVersion };
  const tokenHash = deps.hashToken(deps.vault.unseal({ context, sealed: entry.sealed }));
  return deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(attempt.integrationId);
    const current = await tx.credentials.current(attempt.integrationId);
    if (row === null || current?.id !== attempt.credentialId) return false;
    const { newTokenId } = entry;
    const expiresOn = expiryDate(entry.expiry);
    if (!(await tx.rotations.commit({ id: attempt.id, newTokenId, expiresOn, now }))) return false;
    if (!(await tx.credentials.demoteToPrevious({ id: current.id })))
      throw new SecuError('internal', 'the current credential changed under its lock');
    await tx.credentials.add({
      id: attempt.newCredentialId,
      integrationId: row.id,
      version: attempt.newVersion,
      state: 'current',
      sealed: entry.sealed.record,
      keyId: entry.sealed.keyId,
      tokenHash,
      now,
    });
    await tx.credentials.recordFacts({
      id: attempt.newCredentialId,
      token: factsAfter(current, entry),
      now,
    });
    return true;
  });
}

/** Rotation preserves name, scopes and owner. Source: GitLab, `rotate_service.rb`. */
function factsAfter(old: CredentialRow, entry: RotationEntry): TokenFacts {
  return {
    gitlabTokenId: entry.newTokenId,
    name: old.tokenName,
    scopes: old.scopes,
    granular: old.granular,
    mayRotate: old.mayRotate,
    expiry: entry.expiry,
    createdAt: entry.createdAt,
    lastUsedAt: null,
    owner: { username: old.ownerUsername, kind: old.ownerKind },
  };
}

/**
 * Completes an attempt after the new token was verified. `facts` is GitLab's description of it, or `null` if
 * GitLab refuses it by now.
 */
export async function finishRotation({
  deps,
  attempt,
  facts,
  now,
}: EndInput & { facts: TokenFacts | null }): Promise<RotationResult> {
  await endAttempt({ deps, attempt, now, from: 'committed', state: 'done', code: null }, async (tx, row) => {
    const { integrationId } = attempt;
    const old = await tx.credentials.find(attempt.credentialId);
    await tx.credentials.wipePrevious({ integrationId, now });
    if (facts !== null) await tx.credentials.recordFacts({ id: attempt.newCredentialId, token: facts, now });
    const wasLost = row.cause === 'rotation_lost';
    const looksAgain = facts === null || wasLost ? { nextVerifyAt: now } : {};
    await tx.integrations.changeLocked(row.id, { suspectedAt: null, ...looksAgain }, now);
    const after = {
      gitlabTokenId: attempt.newTokenId,
      expiresAt: (facts === null ? null : expiryDate(facts.expiry)) ?? attempt.expiresOn,
    };
    return {
      event: {
        kind: 'integration.rotated',
        text: `${row.name}: the token was rotated at GitLab; the new one expires on ${after.expiresAt}.`,
        data: {
          before: {
            gitlabTokenId: attempt.oldTokenId,
            expiresAt: old === null ? null : expiryDate(old.expiry),
          },
          after,
        },
      },
      result: { code: 'ok' },
    };
  });
  return openResult(attempt, 'ok');
}

/** Completes an attempt as lost: the old token is refused and the new one is unknown. A person must act. */
export async function recordLostRotation({ deps, attempt, now }: EndInput): Promise<RotationResult> {
  const { verifyIntervalMs } = deps.settings;
  const nextVerifyAt = verifyIntervalMs === 0 ? null : new Date(now.getTime() + verifyIntervalMs);
  await endAttempt(
    { deps, attempt, now, from: 'intent', state: 'lost', code: 'rotation_lost' },
    async (tx, row) => {
      await tx.integrations.changeLocked(
        row.id,
        { verdict: 'invalid', cause: 'rotation_lost', suspectedAt: null, nextVerifyAt },
        now,
      );
      const { tokenName, newTokenId, expiresOn } = attempt;
      const lost = {
        at: attempt.createdAt,
        baseUrl: row.baseUrl,
        tokenName: tokenName === null || tokenName === undefined ? null : escapeForeignText(tokenName),
        newTokenId: newTokenId ?? null,
        expiresAt: expiresOn,
      };
      return {
        event: {
          kind: 'integration.rotation_lost',
          text: `${row.name}: the new token was lost. ${lostRotationText(lost)}`,
          data: {
            ...lost,
            at: lost.at.toISOString(),
            before: { status: row.verdict, cause: row.cause },
            after: { status: 'invalid', cause: 'rotation_lost' },
          },
        },
        result: { code: 'rotation_lost' },
      };
    },
  );
  return { code: 'rotation_lost', attemptId: attempt.id };
}

/** Completes an attempt that certainly rotated nothing: GitLab said so, or the old token still works. */
export async function keepOldToken({
  deps,
  attempt,
  code,
  now,
}: EndInput & { code: RotationFailure }): Promise<RotationResult> {
  const state = code === 'not_rotated' ? 'not_rotated' : 'refused';
  await endAttempt({ deps, attempt, now, from: 'intent', state, code }, async (tx, row) => {
    await tx.integrations.changeLocked(row.id, { suspectedAt: null }, now);
    return { event: failedEvent(row, code), result: { code } };
  });
  return { code, attemptId: attempt.id };
}

export function failedEvent(row: IntegrationRow, code: RotationFailure): AttemptEnd['event'] {
  return {
    kind: 'integration.rotation_failed',
    text: `${row.name}: the token was not rotated (${code}); it stays as it is.`,
    data: { cause: code },
  };
}

interface AttemptEnd {
  event: Pick<NewEvent, 'kind' | 'text' | 'data'>;
  result: CommandResults['rotate'];
}

/**
 * Writes the end of the attempt, its consequences, its event, the result of its command and the wakes in one
 * transaction.
 */
async function endAttempt(
  input: EndInput & Omit<Parameters<Stores['rotations']['end']>[0], 'id'>,
  work: (tx: Stores, row: IntegrationRow) => Promise<AttemptEnd>,
): Promise<void> {
  const { deps, attempt, from, state, code, now } = input;
  const { integrationId } = attempt;
  const wakes = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    if (row === null) return [];
    if (!(await tx.rotations.end({ id: attempt.id, from, state, code, now }))) return [];
    const { event, result } = await work(tx, row);
    await tx.events.add(
      [
        {
          ...event,
          integrationId,
          actor: 'system',
          data: { ...event.data, attemptId: attempt.id },
        },
      ],
      now,
    );
    const { commandId } = attempt;
    if (commandId !== null) await tx.commands.finish({ id: commandId, kind: 'rotate', result, now });
    return [
      await tx.outbox.add({ kind: 'wake_fleet', integrationId, now }),
      await tx.outbox.add({ kind: 'wake_integration', integrationId, now }),
    ];
  });
  await sendWakes(deps, wakes);
}
