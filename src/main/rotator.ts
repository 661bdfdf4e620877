import { join } from 'node:path';
import type { GitlabDeps, RotationDeps } from '../activities/deps.ts';
import type { RotationActivities } from '../activities/rotation/activities.ts';
import { createRotationActivities } from '../activities/rotation/activities.ts';
import { startRotationJournalLoop } from '../background/rotation-journal-loop.ts';
import { openRotationFolder } from '../folder-lease/rotation-folder.ts';
import { keyedHash } from '../vault/vault.ts';
import { openDataKey } from './keys.ts';
import type { World } from './world.ts';

export const ROTATION: Pick<RotationDeps, 'confirmAfterMs' | 'onStep'> = {
  confirmAfterMs: 5 * 60_000,
  onStep: () => {},
};

/** What a worker needs to rotate tokens: a journal on a disk that outlives it, and somebody who looks after it. */
export interface Rotator {
  workerId: string;
  activities: RotationActivities;
  /** From here on nothing begins; what began goes on. */
  drain(): void;
  close(): Promise<void>;
}

/** What an earlier worker left in its journal is stored before this returns. */
export async function openRotator(input: {
  world: World;
  deps: GitlabDeps;
  settings: typeof ROTATION;
}): Promise<Rotator> {
  const { config, database, vault } = input.world;
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
  const stopKeeper = await startRotationJournalLoop(deps);
  return {
    workerId: journal.workerId,
    activities: createRotationActivities(deps),
    drain() {
      isDraining = true;
    },
    close: stopKeeper,
  };
}
