import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import type { RotationRow } from '../../db/stores/rotations.ts';
import { sendWakes } from '../../db/wakes.ts';
import type { NewEvent } from '../../domain/event.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import type { TokenFacts } from '../../domain/integration.ts';
import type { RotationEntry } from '../../domain/ports.ts';
import { lostRotationText } from '../../domain/rotation.ts';
import type { RotationDeps } from '../deps.ts';

/** How an attempt stands after one of these, as it goes into a history and to the waiting caller. */
export interface RotationResult {
  attemptId: string;
  /** `ok`, `in_doubt`, `rotation_lost`, or why nothing was rotated. */
  code: string;
  newTokenId: number | null;
  expiresAt: string | null;
}

interface EndInput {
  deps: RotationDeps;
  attempt: RotationRow;
  now: Date;
}

/**
 * The new token takes the place of the old one, whose ciphertext is kept until the new one was seen to work. May come
 * late, from a journal: after the attempt was called lost, too, as long as nobody gave another token.
 * @returns false when it is stored already, or must not be any more
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
    const { newTokenId, expiresAt } = entry;
    const isMine = await tx.rotations.commit({
      id: attempt.id,
      newTokenId,
      expiresOn: expiresAt ?? null,
      now,
    });
    if (!isMine) return false;
    await tx.credentials.demoteToPrevious({ id: current.id });
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

/** Rotation keeps name, scopes and owner. Source: GitLab, `rotate_service.rb`. */
function factsAfter(old: CredentialRow, entry: RotationEntry): TokenFacts {
  return {
    gitlabTokenId: entry.newTokenId,
    name: old.tokenName ?? null,
    scopes: old.scopes,
    granular: old.granular,
    mayRotate: old.mayRotate ?? null,
    expiresAt: entry.expiresAt,
    createdAt: entry.createdAt,
    lastUsedAt: null,
    owner: { username: old.ownerUsername ?? null, kind: old.ownerKind },
  };
}

/** The new token was seen; `facts` are what GitLab says of it, or `null` where it refuses it by now. */
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
    await tx.integrations.change(row.id, { suspectedAt: null, ...looksAgain }, now);
    const after = {
      gitlabTokenId: attempt.newTokenId ?? null,
      expiresAt: facts?.expiresAt ?? attempt.expiresOn,
    };
    return {
      event: {
        kind: 'integration.rotated',
        text: `${row.name}: the token was rotated at GitLab; the new one expires on ${after.expiresAt}.`,
        data: {
          before: { gitlabTokenId: attempt.oldTokenId ?? null, expiresAt: old?.expiresOn ?? null },
          after,
        },
      },
      result: { code: 'ok' },
    };
  });
  return resultOf(attempt, 'ok');
}

/** The old token is refused and the new one nowhere: only a person can go on. */
export async function recordLostRotation({ deps, attempt, now }: EndInput): Promise<RotationResult> {
  const { verifyIntervalMs } = deps.settings;
  const nextVerifyAt = verifyIntervalMs === 0 ? null : new Date(now.getTime() + verifyIntervalMs);
  await endAttempt(
    { deps, attempt, now, from: 'intent', state: 'lost', code: 'rotation_lost' },
    async (tx, row) => {
      await tx.integrations.change(
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
            before: { status: row.verdict, cause: row.cause ?? null },
            after: { status: 'invalid', cause: 'rotation_lost' },
          },
        },
        result: { code: 'rotation_lost' },
      };
    },
  );
  return resultOf(attempt, 'rotation_lost');
}

/** Nothing was rotated, and that is certain: by GitLab's word, or because the old token goes on living. */
export async function keepOldToken({
  deps,
  attempt,
  code,
  now,
}: EndInput & { code: string }): Promise<RotationResult> {
  const state = code === 'not_rotated' ? 'not_rotated' : 'refused';
  await endAttempt({ deps, attempt, now, from: 'intent', state, code }, async (tx, row) => {
    await tx.integrations.change(row.id, { suspectedAt: null }, now);
    return { event: failedEvent(row, code), result: { code } };
  });
  return resultOf(attempt, code);
}

export function failedEvent(row: IntegrationRow, code: string): AttemptEnd['event'] {
  return {
    kind: 'integration.rotation_failed',
    text: `${row.name}: the token was not rotated (${code}); it stays as it is.`,
    data: { cause: code },
  };
}

export function resultOf(attempt: RotationRow, code: string): RotationResult {
  const { id, newTokenId, expiresOn } = attempt;
  return { attemptId: id, code, newTokenId: newTokenId ?? null, expiresAt: expiresOn };
}

interface AttemptEnd {
  event: Pick<NewEvent, 'kind' | 'text' | 'data'>;
  result: Record<string, unknown>;
}

/** One transaction: the attempt's end, what follows from it, its event, its command, and whoever waited. */
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
    if (commandId !== null && commandId !== undefined)
      await tx.commands.finish({ id: commandId, result, now });
    return [
      await tx.outbox.add({ kind: 'wake_fleet', integrationId, now }),
      await tx.outbox.add({ kind: 'wake_integration', integrationId, now }),
    ];
  });
  await sendWakes(deps, wakes);
}
