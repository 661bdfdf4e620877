import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Recipe, Simulator } from '../../simulator/index.ts';
import { createSimulator } from '../../simulator/index.ts';
import { observeToken } from '../../src/activities/token/observe.ts';
import type { DryRun } from '../../src/domain/dry-run.ts';
import { dryRunOf } from '../../src/domain/dry-run.ts';
import type { CheckName, DryRunCause } from '../../src/domain/dry-run-causes.ts';
import { CHECK_NAMES } from '../../src/domain/dry-run-causes.ts';
import type { VerificationOutcome } from '../../src/domain/integration.ts';
import type { GitRemote } from '../../src/domain/ports.ts';
import { Secret } from '../../src/domain/secret.ts';
import { verdictOf } from '../../src/domain/verification.ts';
import { createGitRemote } from '../../src/git/remote.ts';
import type { GitlabClient } from '../../src/gitlab/client.ts';
import { createTokenProbe } from '../../src/main/token-probe.ts';
import type { World } from '../gitlab/support.ts';
import { worldOf } from '../gitlab/support.ts';

export interface Asked {
  baseUrl?: string;
  token?: string;
  /** The only allowed base URL; default: the requested one. */
  listed?: string;
  world?: Parameters<typeof worldOf>[1];
  deadlineMs?: number;
  wantsRotation?: boolean;
}

type Control = Simulator['control'];

/** A simulator, and dry runs of tokens against it. */
export interface Probing {
  simulator: Simulator;
  dryRun(
    requested?: Asked,
  ): Promise<DryRun & { check(name: CheckName): DryRun['checks'][number] | undefined }>;
  /** The verdict and cause of an integration with this token. */
  verify(token: string): Promise<VerificationOutcome>;
  goodToken(
    options?: Parameters<Control['createToken']>[0] & { kind?: never },
    user?: Parameters<Control['createUser']>[0],
  ): string;
  /** Causes that probes returned so far. */
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
    verify: (token) =>
      withParts({ listed: simulator.url, folder }, async ({ gitlab, git }) => {
        const { signal } = new AbortController();
        const about = { baseUrl: simulator.url, token: new Secret(token), signal };
        return verdictOf(await observeToken({ gitlab, git, ...about }));
      }),
    async close() {
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function probe(
  input: Asked & { baseUrl: string; token: string; folder: string; simulator: Simulator },
): Promise<DryRun> {
  const { baseUrl, token, simulator, listed = baseUrl, deadlineMs = 9_000 } = input;
  return withParts({ ...input, listed }, async (parts) => {
    const probing = createTokenProbe({ ...parts, deadlineMs });
    const observed = await probing.probe({ baseUrl, token: new Secret(token) });
    return dryRunOf(observed, {
      wantsRotation: input.wantsRotation ?? false,
      nowMs: simulator.control.now().getTime(),
    });
  });
}

/** A policy for one base URL, with a client and git that use it. */
async function withParts<T>(
  { listed, folder, world }: { listed: string; folder: string; world?: Asked['world'] },
  work: (parts: Pick<World, 'policy'> & { gitlab: GitlabClient; git: GitRemote }) => Promise<T>,
): Promise<T> {
  const { policy, client } = worldOf(listed, world);
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
    return await work({ policy, gitlab: client, git });
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
