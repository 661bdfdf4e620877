import type { RotationDeps } from '../activities/deps.ts';
import { commitRotation } from '../activities/rotation/outcomes.ts';
import { sendWakes } from '../db/wakes.ts';

const RENEW_LEASE_MS = 30_000;

/**
 * Processes the rotation journal at once and every half minute: renews its lease, takes over journals of dead
 * workers, stores journalled answers in the database, and removes entries that are no longer needed. It needs
 * neither GitLab nor Temporal.
 * @returns a function that stops the loop
 */
export async function startRotationJournalLoop(
  deps: RotationDeps,
  { heartbeatMs = RENEW_LEASE_MS }: { heartbeatMs?: number } = {},
): Promise<() => Promise<void>> {
  await processJournalSafely(deps);
  let working = Promise.resolve();
  const timer = setInterval(() => {
    working = working.then(() => processJournalSafely(deps));
  }, heartbeatMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await working;
  };
}

async function processJournalSafely(deps: RotationDeps): Promise<void> {
  try {
    await processJournal(deps);
  } catch (err) {
    deps.log.warn({ err }, 'the rotation journal could not be processed');
  }
}

/** One round of the loop. */
export async function processJournal(deps: RotationDeps): Promise<void> {
  const { journal, database } = deps;
  const { stores } = database;
  await journal.renewLease(async (from) => {
    for (const integrationId of await stores.rotations.adopt({ from, to: journal.workerId }))
      await wakeIntegration(deps, integrationId);
    deps.log.info({ from }, 'the journal of a dead worker was taken over');
  });
  await stores.rotations.recordOwnerAlive(journal.workerId);
  for (const attemptId of await journal.attemptIds()) await commitJournalledAnswer(deps, attemptId);
}

async function commitJournalledAnswer(deps: RotationDeps, attemptId: string): Promise<void> {
  const { journal, database } = deps;
  const attempt = await database.stores.rotations.find(attemptId);
  const entry = await journal.read(attemptId);
  const isOver = attempt === null || attempt.state === 'done' || attempt.state === 'superseded';
  if (isOver || entry === null) return journal.remove(attemptId);
  if (attempt.state === 'committed') return;
  if (await commitRotation({ deps, attempt, entry, now: new Date() })) {
    deps.log.info({ attemptId }, 'a rotated token was stored from the journal');
    return wakeIntegration(deps, attempt.integrationId);
  }
  const after = await database.stores.rotations.find(attemptId);
  if (after !== null && after.state !== 'committed') await journal.remove(attemptId);
}

async function wakeIntegration(deps: RotationDeps, integrationId: string): Promise<void> {
  await sendWakes(deps, [
    await deps.database.stores.outbox.add({ kind: 'wake_integration', integrationId, now: new Date() }),
  ]);
}
