import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Secu } from '../../../harness/secu.ts';
import { prepareSecu } from '../../../harness/secu.ts';
import type { Recipe, Simulator } from '../../../simulator/index.ts';
import { createSimulator } from '../../../simulator/index.ts';
import { awaitSettled } from './story.ts';

/** A Secu started as a user starts it, with one integration of a simulated GitLab, listed and scanned. */
export interface ConnectedSecu {
  secu: Secu;
  simulator: Simulator;
  integrationId: string;
  close(): Promise<void>;
}

export async function startConnectedSecu(
  options: {
    recipes?: Recipe[];
    /** Runs before Secu is connected. */
    prepare?: (simulator: Simulator) => Promise<void>;
  } = {},
): Promise<ConnectedSecu> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-long-gitlab-'));
  const simulator = await createSimulator({ folder, recipes: options.recipes });
  await options.prepare?.(simulator);
  const secu = await prepareSecu({
    env: {
      SECU_GITLAB_ORIGINS: simulator.url,
      SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
      SECU_GITLAB_RATE: '100/s',
      SECU_DISK_RESERVE: '1MiB',
    },
  });
  const close = async () => {
    await secu.remove();
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await secu.start();
    const { id: userId } = simulator.control.createUser({ name: 'Secu scanner' });
    const { token } = simulator.control.createToken({ userId, scopes: ['read_api', 'read_repository'] });
    const json = { provider: 'gitlab', type: 'git', baseUrl: simulator.url, token };
    const created = await secu.call('POST', '/integrations', json);
    expect(created).toMatchObject({ status: 201, body: { status: 'active' } });
    const integrationId: string = created.body.id;
    await awaitSettled(secu, integrationId);
    return { secu, simulator, integrationId, close };
  } catch (err) {
    await close();
    throw err;
  }
}
