import { setTimeout as delay } from 'node:timers/promises';
import type { RotationRow } from '../../db/stores/rotations.ts';
import type { RotationEntry } from '../../domain/ports.ts';
import { expiryDate } from '../../domain/token-expiry.ts';
import type { RotationAnswer } from '../../gitlab/rotate.ts';
import type { RotationDeps } from '../deps.ts';
import { commitRotation, keepOldToken } from './outcomes.ts';
import { verifyNewToken } from './resolve-rotation.ts';
import type { RotationResult } from './result.ts';
import { openResult } from './result.ts';

/** How long the commit is repeated without a journal entry: until then, the answer exists only in this process. */
const COMMIT_ATTEMPTS_WITHOUT_JOURNAL = 60;
const COMMIT_RETRY_MS = 1_000;

interface Answered {
  attempt: RotationRow;
  now: Date;
}

/** Step 4: applies GitLab's answer to the attempt. */
export async function handleAnswer(
  deps: RotationDeps,
  { attempt, now }: Answered,
  answer: RotationAnswer,
): Promise<RotationResult> {
  switch (answer.kind) {
    case 'rotated':
      await deps.onStep('answered');
      return persistNewToken(deps, { attempt, now }, answer);
    case 'refused':
      return keepOldToken({ deps, attempt, code: answer.code, now });
    case 'expiry_too_late':
      return keepOldToken({ deps, attempt, code: 'expiry_not_accepted', now });
    case 'in_doubt': {
      const { problem, newTokenId } = answer;
      deps.log.error(
        { attemptId: attempt.id, problem },
        'GitLab was asked to rotate, and its answer did not arrive',
      );
      const known = newTokenId === null ? {} : { newTokenId };
      await deps.database.stores.rotations.recordProgress({ id: attempt.id, nextCheckAt: now, ...known });
      return openResult(attempt, 'in_doubt');
    }
  }
}

/**
 * Step 5: seals the answer into the journal first, then into the database, because it exists only in this process.
 */
async function persistNewToken(
  deps: RotationDeps,
  { attempt, now }: Answered,
  answer: RotationAnswer & { kind: 'rotated' },
): Promise<RotationResult> {
  const context = { table: 'credential', rowId: attempt.newCredentialId, version: attempt.newVersion };
  const { newTokenId, facts } = answer;
  const entry: RotationEntry = {
    attemptId: attempt.id,
    sealed: deps.vault.seal({ context, secret: answer.value }),
    newTokenId,
    expiry: facts.expiry,
    createdAt: facts.createdAt,
  };
  const isJournalled = await writeJournal(deps, entry);
  await deps.onStep('journalled');
  const expiresOn = facts.expiry.kind === 'unknown' ? attempt.expiresOn : (expiryDate(facts.expiry) ?? '');
  const rotated = { ...attempt, newTokenId, expiresOn };
  const attempts = isJournalled ? 1 : COMMIT_ATTEMPTS_WITHOUT_JOURNAL;
  const isCommitted = await commitWithRetries(deps, { attempt, entry, now, attempts });
  if (!isCommitted) return openResult(rotated, 'in_doubt');
  await deps.onStep('committed');
  return verifyNewToken({ deps, attempt: rotated, now });
}

async function writeJournal(deps: RotationDeps, entry: RotationEntry): Promise<boolean> {
  try {
    await deps.journal.write(entry);
    return true;
  } catch (err) {
    deps.log.error(
      { err, attemptId: entry.attemptId },
      "GitLab's answer could not be written to the journal",
    );
    return false;
  }
}

/** @returns false if the journal must wait for the database, or another worker stored the token */
async function commitWithRetries(
  deps: RotationDeps,
  input: Answered & { entry: RotationEntry; attempts: number },
): Promise<boolean> {
  for (let remaining = input.attempts; remaining > 0; remaining -= 1) {
    try {
      return await commitRotation({ deps, ...input });
    } catch (err) {
      deps.log.error({ err, attemptId: input.attempt.id }, 'the rotated token could not be stored yet');
      if (remaining > 1) await delay(COMMIT_RETRY_MS);
    }
  }
  return false;
}
