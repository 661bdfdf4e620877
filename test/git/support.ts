import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Simulator, SimulatorOptions } from '../../simulator/index.ts';
import { createSimulator, fleetRecipes } from '../../simulator/index.ts';
import type { GitRemote } from '../../src/domain/ports.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { GitRemoteOptions } from '../../src/git/remote.ts';
import { createGitRemote } from '../../src/git/remote.ts';

export interface GitWorld {
  simulator: Simulator;
  folder: string;
  token: string;
  remote: (options?: Partial<GitRemoteOptions>) => GitRemote;
  repository: (
    fullPath: string,
    more?: { signal?: AbortSignal; token?: string; baseUrl?: string },
  ) => {
    baseUrl: string;
    fullPath: string;
    token: Secret;
    signal: AbortSignal;
  };
  /** A folder for a clone that does not exist yet. */
  directory: () => string;
  close: () => Promise<void>;
}

/** A simulated GitLab, a token that can read everything in it, and git as Secu calls it. */
export async function createGitWorld(options: Partial<SimulatorOptions> = {}): Promise<GitWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-git-'));
  const simulator = await createSimulator({
    folder: join(folder, 'gitlab'),
    recipes: fleetRecipes(3),
    ...options,
  });
  const { id: userId } = simulator.control.createUser({ name: 'Secu scanner' });
  const { token } = simulator.control.createToken({ userId, scopes: ['read_api', 'read_repository'] });
  let clones = 0;
  return {
    simulator,
    folder,
    token,
    remote: (more = {}) =>
      createGitRemote({
        workFolder: join(folder, 'work'),
        pinFor: async () => null,
        proxyFor: () => null,
        clonesPerOrigin: 4,
        cloneTimeoutMs: 60_000,
        cloneMaxBytes: 64 * 1024 * 1024,
        headTimeoutMs: 20_000,
        ...more,
      }),
    repository: (fullPath, more = {}) => ({
      baseUrl: more.baseUrl ?? simulator.url,
      fullPath,
      token: new Secret(more.token ?? token),
      signal: more.signal ?? new AbortController().signal,
    }),
    directory: () => {
      clones += 1;
      return join(folder, 'clones', String(clones), 'repository.git');
    },
    async close() {
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
