import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Recipe, Simulator } from '../../simulator/index.ts';
import { createSimulator } from '../../simulator/index.ts';
import type { DryRun } from '../../src/domain/dry-run.ts';
import { dryRunOf } from '../../src/domain/dry-run.ts';
import type { CheckName, DryRunCause } from '../../src/domain/dry-run-causes.ts';
import { CHECK_NAMES } from '../../src/domain/dry-run-causes.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createGitRemote } from '../../src/git/remote.ts';
import { createTokenProbe } from '../../src/main/token-probe.ts';
import { worldOf } from '../gitlab/support.ts';

export interface Asked {
  baseUrl?: string;
  token?: string;
  /** The one allowed base URL; the asked one when left out. */
  listed?: string;
  world?: Parameters<typeof worldOf>[1];
  deadlineMs?: number;
  wantsRotation?: boolean;
}

type Control = Simulator['control'];

/** A simulator and dry runs of tokens against it. */
export interface Probing {
  simulator: Simulator;
  dryRun(asked?: Asked): Promise<DryRun & { check(name: CheckName): DryRun['checks'][number] | undefined }>;
  goodToken(
    options?: Parameters<Control['createToken']>[0] & { kind?: never },
    user?: Parameters<Control['createUser']>[0],
  ): string;
  /** Causes that came out of a probe so far. */
  seenCauses: Set<DryRunCause>;
  close(): Promise<void>;
}

export async function openProbing(): Promise<Probing> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-probe-'));
  const simulator = await createSimulator({ folder, recipes: recipes() });
  const seenCauses = new Set<DryRunCause>();
  const goodToken: Probing['goodToken'] = (options = {}, user = { kind: 'service_account' }) => {
    const { id: userId } = simulator.control.createUser(user);
    return simulator.control.createToken({ userId, ...options }).token;
  };
  return {
    simulator,
    seenCauses,
    goodToken,
    async dryRun({ baseUrl = simulator.url, token = goodToken(), ...asked } = {}) {
      const run = await probe({ ...asked, baseUrl, token, folder, simulator });
      for (const { cause } of run.checks) if (cause !== null) seenCauses.add(cause);
      expect(run.checks.map(({ name }) => name)).toEqual([...CHECK_NAMES]);
      expect(JSON.stringify(run)).not.toContain(token);
      return { ...run, check: (name) => run.checks.find((check) => check.name === name) };
    },
    async close() {
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function probe(
  input: Asked & { baseUrl: string; token: string; folder: string; simulator: Simulator },
): Promise<DryRun> {
  const { baseUrl, token, folder, simulator, listed = baseUrl, deadlineMs = 9_000 } = input;
  const { policy, client } = worldOf(listed, input.world);
  try {
    const git = createGitRemote({
      workFolder: join(folder, 'git'),
      pinFor: (url) => policy.pinFor(url),
      proxyFor: (url) => policy.proxyFor(url),
      clonesPerOrigin: 2,
      cloneTimeoutMs: 10_000,
      cloneMaxBytes: 1_000_000,
      headTimeoutMs: 5_000,
    });
    const seen = await createTokenProbe({ policy, gitlab: client, git, deadlineMs }).probe({
      baseUrl,
      token: new Secret(token),
    });
    return dryRunOf(seen, {
      wantsRotation: input.wantsRotation ?? false,
      nowMs: simulator.control.now().getTime(),
    });
  } finally {
    await policy.close();
  }
}

function recipes(): Recipe[] {
  const recipe = (path: string, project: Recipe['project'] = {}): Recipe => ({
    name: path.replace('/', '-'),
    path,
    about: path,
    project,
    commits: () => [{ message: 'Begin', files: { 'README.md': '# x' } }],
    expect: { listed: true, findings: [] },
  });
  return [recipe('acme/shop'), recipe('acme/legacy', { archived: true }), recipe('beta/site')];
}
