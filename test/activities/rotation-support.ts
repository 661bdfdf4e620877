import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RotationResult } from '../../src/activities/rotation/result.ts';
import type { CommandPayloads } from '../../src/domain/command.ts';
import { createGitlabClient } from '../../src/gitlab/client.ts';
import { createPacer } from '../../src/gitlab/pacer.ts';
import type { TestWorld } from '../support/world.ts';
import type { Active, Activities } from './support.ts';
import { active, activitiesOf, rowOf, run } from './support.ts';

export const ROTATING_SCOPES = ['read_api', 'read_repository', 'self_rotate'];
const ROTATE = 'POST /api/v4/personal_access_tokens/self/rotate';

/**
 * Removes faults and limits of an earlier test from the simulated GitLab, and creates activities with a short
 * rotation timeout.
 */
export async function createRotationActivities(world: TestWorld): Promise<Activities> {
  world.simulator.control.faults.clear();
  world.simulator.control.requests.reset();
  world.simulator.control.setInstance({
    maxTokenLifetimeDays: 365,
    maintenanceMode: false,
    legacyRotationDisabled: false,
  });
  return activitiesOf(world, {
    gitlab: createGitlabClient({
      policy: world.policy,
      pacer: createPacer({ perSecond: 1_000 }),
      userAgent: 'Secu/test',
      rotationTimeoutMs: 3_000,
    }),
  });
}

type Rotated = Pick<Active, 'integrationId'>;

/** Helpers of rotation tests, for the current world and activities. */
export function rotationHelpers(current: () => { world: TestWorld; activities: Activities }) {
  async function addRotateCommand(
    integrationId: string,
    changes: Partial<CommandPayloads['rotate']> = {},
  ): Promise<string> {
    const { commands } = current().world.database.stores;
    const payload = { force: false, ...changes };
    return commands.add({ integrationId, kind: 'rotate', payload, now: new Date() });
  }
  const journalFolder = () =>
    join(current().world.folder, 'rotation', current().activities.rotation.journal.workerId);
  return {
    addRotateCommand,
    journalFolder,
    journalEntries: () => readdirSync(journalFolder()).filter((name) => name.endsWith('.entry')),
    /** The number of rotation requests that GitLab received. */
    countRotateRequests: () => current().world.simulator.control.requests.count(ROTATE),
    addRotatable: (options: { expiresAt?: string | null; scopes?: string[] } = {}) =>
      active(current().world, current().activities, { scopes: ROTATING_SCOPES, ...options }),
    rotate: async (
      { integrationId }: Rotated,
      payload: Partial<CommandPayloads['rotate']> = {},
    ): Promise<RotationResult & { outcome: unknown }> => {
      const { world, activities } = current();
      const commandId = await addRotateCommand(integrationId, payload);
      const result = await run(activities, 'rotateToken', { integrationId, commandId, nowMs: Date.now() });
      return { ...result, outcome: (await rowOf(world, 'command', commandId))['result'] };
    },
    resolve: async (
      { attemptId }: Pick<RotationResult, 'attemptId'>,
      { integrationId }: Rotated,
      inMs = 0,
    ) => {
      const nowMs = Date.now() + inMs;
      const input = { integrationId, attemptId, commandId: null, nowMs };
      return run(current().activities, 'resolveRotation', input);
    },
    currentCredentialOf: async ({ integrationId }: Rotated) => {
      const { world } = current();
      const credential = await world.database.stores.credentials.current(integrationId);
      return rowOf(world, 'credential', credential?.id ?? '');
    },
  };
}
