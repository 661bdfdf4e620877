import type { RotationDeps } from '../deps.ts';
import { createResolveRotation } from './resolve-rotation.ts';
import { createRotateToken } from './rotate-token.ts';

export type RotationActivities = ReturnType<typeof createRotationActivities>;

/** Rotation at GitLab: on the queue of the worker whose journal is used, the first also on the queue of all. */
export function createRotationActivities(deps: RotationDeps) {
  return {
    /** The worker that answers is the one that rotates. */
    async chooseRotator(_input: { integrationId: string }): Promise<{ workerId: string }> {
      return { workerId: deps.journal.workerId };
    },
    rotateToken: createRotateToken(deps),
    resolveRotation: createResolveRotation(deps),
  };
}
