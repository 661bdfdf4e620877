import type { RotationDeps } from '../deps.ts';
import { createResolveRotation } from './resolve-rotation.ts';
import { createRotateToken } from './rotate-token.ts';

export type RotationActivities = ReturnType<typeof createRotationActivities>;

/**
 * Activities that rotate tokens. They run on the queue of the worker that holds the journal; the first also on the
 * shared queue.
 */
export function createRotationActivities(deps: RotationDeps) {
  return {
    /** Returns the identity of the worker that will rotate: the one that runs this activity. */
    async chooseRotator(_input: { integrationId: string }): Promise<{ workerId: string }> {
      return { workerId: deps.journal.workerId };
    },
    rotateToken: createRotateToken(deps),
    resolveRotation: createResolveRotation(deps),
  };
}
