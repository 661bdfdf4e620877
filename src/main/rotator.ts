import { join } from 'node:path';
import type { GitlabDeps, RotationDeps } from '../activities/deps.ts';
import type { RotationActivities } from '../activities/rotation/activities.ts';
import { createRotationActivities } from '../activities/rotation/activities.ts';
import { startRotationJournalLoop } from '../background/rotation-journal-loop.ts';
import { openRotationFolder } from '../folder-lease/rotation-folder.ts';
import { keyedHash } from '../vault/vault.ts';
import { openDataKey } from './keys.ts';
import type { ProcessContext } from './process-context.ts';

export const ROTATION: Pick<RotationDeps, 'confirmAfterMs' | 'onStep'> = {
  confirmAfterMs: 5 * 60_000,
  onStep: () => {},
};

/** What a worker needs to rotate tokens: a journal on disk that survives it, and the loop that processes the journal. */
export interface Rotator {
  workerId: string;
  activities: RotationActivities;
  /** Starts no more rotations; running ones finish. */
  drain(): void;
  close(): Promise<void>;
}

/** Before it returns, it stores the journal entries that earlier workers left. */
export async function openRotator(input: {
  context: ProcessContext;
  deps: GitlabDeps;
  settings: typeof ROTATION;
}): Promise<Rotator> {
  const { config, database, vault } = input.context;
  const dataKey = await openDataKey({ vault, database, name: 'token' });
  const journal = await openRotationFolder({ parent: join(config.home, 'rotation') });
  let isDraining = false;
  const deps: RotationDeps = {
    ...input.deps,
    ...input.settings,
    journal,
    hashToken: (token) => keyedHash({ dataKey, purpose: 'token', text: token }),
    isDraining: () => isDraining,
  };
  const stopJournalLoop = await startRotationJournalLoop(deps);
  return {
    workerId: journal.workerId,
    activities: createRotationActivities(deps),
    drain() {
      isDraining = true;
    },
    close: stopJournalLoop,
  };
}
