import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';

import { createClock } from './clock.ts';
import type { SimulatorControl } from './control.ts';
import { createControl } from './control.ts';
import { answerControl, CONTROL_PATH } from './control-http.ts';
import { loadGitlabData } from './data.ts';
import type { Instance } from './dispatch.ts';
import { answer } from './dispatch.ts';
import { createFaultPlan } from './faults.ts';
import type { BanLimits } from './git/bans.ts';
import { createBanList, GITLAB_COM_BAN } from './git/bans.ts';
import { findHttpBackend } from './git/http-backend.ts';
import { createRepositories } from './git/repositories.ts';
import type { Listener, Tls } from './listener.ts';
import { listen } from './listener.ts';
import { addProjectOf } from './projects.ts';
import { createRateLimits } from './rate-limits.ts';
import { defaultRecipes } from './recipes/index.ts';
import type { Recipe } from './recipes/recipe.ts';
import { jsonReply } from './reply.ts';
import { readRequest } from './request.ts';
import { createRequestLog } from './requests.ts';
import { loadState, saveState } from './state.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

export type SimulatorOptions = {
  /** Stores built histories (reused by later runs) and, during the run, the served repositories. */
  folder: string;
  /** Default `127.0.0.1`. */
  host?: string | undefined;
  /** Default: any free port. */
  port?: number | undefined;
  tls?: Tls | undefined;
  /** Min time from a request to its answer. */
  latencyMs?: number | undefined;
  /** Default: `defaultRecipes()`. */
  recipes?: Recipe[] | undefined;
  /** The base of the clock. */
  now?: (() => Date) | undefined;
  /** A relative URL root such as `/gitlab`. */
  basePath?: string | undefined;
  /** Whether to refuse requests over GitLab.com's limits (archives are always limited). */
  enforceRateLimits?: boolean | undefined;
  /** Default: GitLab.com's ban on failed Git authentications. */
  ban?: BanLimits | undefined;
  /** Whether the next run on the same folder accepts the tokens of this run. */
  keepTokens?: boolean | undefined;
};

export type Simulator = {
  /** Base URL to give to Secu, without a trailing slash. */
  url: string;
  port: number;
  /** The key of the control API `/_simulator/…`. */
  controlKey: string;
  control: SimulatorControl;
  recipes: Recipe[];
  /** Ends everything that it started and removes the served repositories; keeps built histories. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Starts a simulated GitLab: its API, and Git over HTTP on real repositories. */
export async function createSimulator(options: SimulatorOptions): Promise<Simulator> {
  const folder = resolve(options.folder);
  const recipes = options.recipes ?? defaultRecipes();
  const basePath = options.basePath ?? '';
  const host = options.host ?? '127.0.0.1';
  await mkdir(folder, { recursive: true });
  const served = await servedFolder(folder);
  const instance = await buildInstance({ options, recipes, served, cacheFolder: join(folder, 'histories') });
  const { world } = instance;
  const stateFile = options.keepTokens === true ? join(folder, 'tokens.json') : null;
  const controlKey = randomBytes(24).toString('base64url');
  const failures: string[] = [];
  const onRequest = (message: IncomingMessage, response: ServerResponse) => {
    void serve({
      instance,
      basePath,
      message,
      response,
      control: () => control,
      controlKey,
      recipes,
      failures,
      stateFile,
    });
  };
  const listener: Listener = await listen({ host, port: options.port ?? 0, tls: options.tls, onRequest });
  const control = createControl({ ...instance, clock: world.clock, listener, failures });
  if (stateFile !== null) await loadState(world, stateFile);
  createOwners({ world, control, recipes });
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const url = `${options.tls === undefined ? 'http' : 'https'}://${shownHost}:${listener.port}${basePath}`;
  world.settings.externalUrl = url;
  const close = async () => {
    await listener.down();
    if (stateFile !== null) await saveState(world, stateFile);
    await rm(served, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };
  return { url, port: listener.port, controlKey, control, recipes, close, [Symbol.asyncDispose]: close };
}

async function buildInstance(parts: {
  options: SimulatorOptions;
  recipes: Recipe[];
  served: string;
  cacheFolder: string;
}): Promise<Instance> {
  const { options, recipes } = parts;
  const clock = createClock(options.now);
  const repositories = createRepositories({ root: parts.served, cacheFolder: parts.cacheFolder });
  await repositories.prepare(recipes);
  const world: World = createWorld({ clock, data: loadGitlabData(), settings: defaultSettings() });
  for (const recipe of recipes) addProjectOf(world, recipe);
  return {
    world,
    repositories,
    faults: createFaultPlan(),
    requests: createRequestLog(),
    bans: createBanList({ clock, limits: options.ban ?? GITLAB_COM_BAN }),
    rateLimits: createRateLimits({ world, enforced: options.enforceRateLimits ?? false }),
    backend: findHttpBackend(),
    latencyMs: options.latencyMs ?? 0,
  };
}

/** The owners of personal projects; they have no other memberships. */
function createOwners(parts: { world: World; control: SimulatorControl; recipes: Recipe[] }): void {
  const known = new Set([...parts.world.users.values()].map(({ username }) => username));
  const owners = new Set(parts.recipes.flatMap((recipe) => recipe.project?.owner ?? []));
  for (const username of owners) {
    if (known.has(username)) continue;
    parts.control.createUser({ username, kind: 'human', member: false });
  }
}

/** A folder for this process only; removes the folders of killed processes. */
async function servedFolder(folder: string): Promise<string> {
  for (const name of await readdir(folder)) {
    const pid = /^served-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(folder, name), { recursive: true, force: true });
  }
  return mkdtemp(join(folder, `served-${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of another user cannot be signalled, but it is running.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function defaultSettings() {
  return {
    externalUrl: '',
    maxTokenLifetimeDays: 365,
    requireTokenExpiry: true,
    legacyRotationDisabled: false,
    maintenanceMode: false,
    gitOverHttp: true,
    brokenProjects: [],
  };
}

async function serve(options: {
  instance: Instance;
  basePath: string;
  message: IncomingMessage;
  response: ServerResponse;
  control: () => SimulatorControl;
  controlKey: string;
  recipes: Recipe[];
  failures: string[];
  stateFile: string | null;
}): Promise<void> {
  const { instance, message, response } = options;
  try {
    const request = await readRequest(message, options.basePath);
    if (message.url?.startsWith(CONTROL_PATH) === true) {
      await answerControl({
        ...options,
        control: options.control(),
        request: { ...request, pathname: message.url },
      });
    } else {
      await answer(instance, request, response);
    }
    if (options.stateFile !== null && message.method !== 'GET')
      await saveState(instance.world, options.stateFile);
  } catch (error) {
    // A client that disconnected is not a failure; every other error is a bug of the simulator and is reported.
    const hungUp = response.destroyed || message.destroyed;
    if (!hungUp) options.failures.push(`${message.method}: ${String(error)}`);
    if (hungUp || response.headersSent) response.destroy();
    else sendFailure(response, error);
  }
}

function sendFailure(response: ServerResponse, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  const { status, headers, body } = jsonReply(500, { message: '500 Internal Server Error', simulator: text });
  response.writeHead(status, headers);
  response.end(body);
}
