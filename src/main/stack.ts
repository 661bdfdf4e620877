import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSetupLink } from '../api/auth/setup-link.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { SecuError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import type { HeldHome } from '../embedded/home.ts';
import { acquireHome, freePort } from '../embedded/home.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { endLeftovers } from '../embedded/processes.ts';
import type { Say } from '../embedded/say.ts';
import type { ChildSpec, Supervisor } from '../embedded/supervisor.ts';
import { createSupervisor } from '../embedded/supervisor.ts';
import { startTemporalServer } from '../embedded/temporal-server.ts';
import { requireTool } from '../embedded/tools.ts';
import { disableCoreDumps } from '../subprocess/core-dumps.ts';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';
import { ensureCliKey } from './cli-key.ts';
import { COMPILE_CACHE } from './compile-cache.ts';
import { hasWorkflowBundle } from './workflow-bundle.ts';

export interface Stack {
  url: string;
  temporalUi: string | null;
  apiKey: string;
  /** A one-time link to make the first administrator; `null` where there is one. */
  setupLink(): Promise<string | null>;
  supervisor: Supervisor;
  stop(): Promise<void>;
}

export interface StackInput {
  config: Config;
  env: Environment;
  say: Say;
  /** Called for each part with how long it took, in ms. */
  onStep?: (step: { name: string; ms: number }) => void;
  /** Starts what must be there before Secu's own processes; what it returns is added to their environment. */
  beforeSecu?: (parts: { supervisor: Supervisor; home: HeldHome }) => Promise<Record<string, string>>;
}

const CHILD_READY_MS = 60_000;
const CHILD_GRACE_MS = 35_000;
/** A rotation that began is not cut off; where none runs, this worker ends as fast as the others. */
const ROTATING_GRACE_MS = 5 * 60_000 + CHILD_GRACE_MS;

/**
 * Runs Secu whole under one supervisor: PostgreSQL and Temporal where none is given, migrations, API, workers.
 * What an earlier start left behind is ended first.
 * @throws SecuError `home_in_use` | `embedded_failed` | `tool_unavailable` | `schema_mismatch`
 */
export async function startStack(input: StackInput): Promise<Stack> {
  const { config, say } = input;
  disableCoreDumps(); // for every process of the stack; each reports it again
  const home = acquireHome(config.home);
  const supervisor = createSupervisor({ layout: home, say });
  const stop = async () => {
    await supervisor.stop();
    home.release();
  };
  try {
    await endLeftovers(home, say);
    await assertPortFree(config);
    return { ...(await startParts({ ...input, home, supervisor })), supervisor, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

/** Said before anything starts, in words that help. @throws SecuError `embedded_failed` */
async function assertPortFree({ http }: Config): Promise<void> {
  const server = createServer();
  const taken = await new Promise<Error | null>((resolve) => {
    server.once('error', resolve);
    server.listen(http.port, http.host, () => resolve(null));
  });
  if (taken === null) {
    await new Promise((resolve) => server.close(resolve));
    return;
  }
  if (!isSystemError(taken, 'EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL')) throw taken;
  throw new SecuError(
    'embedded_failed',
    `cannot listen on ${http.host}:${http.port}: it is taken or not ours; give another with SECU_PORT or SECU_HOST`,
  );
}

async function startParts(input: StackInput & { home: HeldHome; supervisor: Supervisor }) {
  const { config, home, supervisor } = input;
  const timed = timer(input.onStep ?? (() => {}));
  const bundle = timed('workflow bundle', () => makeAhead(input.say));
  const databaseUrl = await timed('PostgreSQL', () => databaseUrlOf(input));
  const temporal = await timed('Temporal', () => temporalOf(input));
  await timed('migrations', () => migrate({ url: databaseUrl }));
  const urlFile = join(home.keys, 'database.url');
  writeFileSync(urlFile, databaseUrl, { mode: 0o600 });
  await bundle;
  const apiKey = ensureCliKey(config.home);
  const extra = (await input.beforeSecu?.({ supervisor, home })) ?? {};
  const env = {
    ...childEnvironment(input.env),
    ...temporal.env,
    DATABASE_URL_FILE: urlFile,
    SECU_HOME: config.home,
    ...extra,
  };
  const children = [
    nodeChild({
      name: 'api',
      args: ['api'],
      env,
      ready: (signal) => answers(`http://${loopback(config)}/readyz`, signal),
    }),
    await workerChild({
      name: 'orchestration-worker',
      queues: 'orchestration,gitlab',
      env,
      stopGraceMs: ROTATING_GRACE_MS,
    }),
    await workerChild({ name: 'scan-worker', queues: 'scan', env }),
  ];
  await timed('API and workers', () => Promise.all(children.map((child) => supervisor.start(child))));
  const { publicUrl } = config.http;
  const setupLink = () => setupLinkOf({ databaseUrl, publicUrl });
  return { url: publicUrl, temporalUi: temporal.uiUrl, apiKey, setupLink };
}

/**
 * Makes the workflows' bundle once, and what Node makes of our modules, in processes that then go: the compilers would
 * stay in the workers' memory. Where they cannot be written, each process makes them.
 */
async function makeAhead(say: Say): Promise<void> {
  if (hasWorkflowBundle() && existsSync(COMPILE_CACHE)) return;
  const [bundled] = await Promise.all([runOnce('./bundle.ts'), runOnce('./cli.ts', '--version')]);
  if (!bundled && !hasWorkflowBundle())
    say('the workflows are bundled at each start: the folder of the program is not ours to write');
}

/** @returns whether it ended well */
async function runOnce(program: string, ...args: readonly string[]): Promise<boolean> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
    stdio: 'ignore',
    env: { PATH: SYSTEM_PATH, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

async function setupLinkOf(input: { databaseUrl: string; publicUrl: string }): Promise<string | null> {
  const database = await openDatabase({ url: input.databaseUrl, poolMax: 1 });
  try {
    const { publicUrl } = input;
    const link = await makeSetupLink({ database, publicUrl, now: new Date(), actor: 'system' });
    return link?.url ?? null;
  } finally {
    await database.close();
  }
}

function timer(onStep: (step: { name: string; ms: number }) => void) {
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const result = await work();
    onStep({ name, ms: Math.round(performance.now() - startedMs) });
    return result;
  };
}

async function databaseUrlOf({
  config,
  home,
  supervisor,
  say,
}: StackInput & { home: HeldHome; supervisor: Supervisor }): Promise<string> {
  if (config.database.url !== null) return config.database.url.value();
  return (await startPostgres({ layout: home, supervisor, say })).url;
}

async function temporalOf({
  config,
  home,
  supervisor,
  say,
}: StackInput & { home: HeldHome; supervisor: Supervisor }) {
  if (config.temporal.address !== null) return { env: {}, uiUrl: config.temporal.uiUrl };
  const tool = await requireTool('temporal', { paths: config.toolPaths, say });
  const { address, namespace, uiUrl } = await startTemporalServer({ layout: home, supervisor, say, tool });
  return {
    env: {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      ...(uiUrl === null ? {} : { SECU_TEMPORAL_UI_URL: uiUrl }),
    },
    uiUrl,
  };
}

/**
 * Only Secu's own settings, Temporal's, and what a program needs to find others: nothing else is inherited. The
 * database is named by a file, whoever named it.
 */
function childEnvironment(env: Environment): Record<string, string> {
  const own = Object.entries(env).filter(
    ([name, value]) => value !== undefined && /^(SECU_|TEMPORAL_|TZ$|LANG$|HOME$|XDG_CACHE_HOME$)/.test(name),
  );
  return { PATH: SYSTEM_PATH, ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ''])) };
}

/**
 * V8 lets young objects fill 48 MiB in each of a process's isolates before it looks: 12 are as quick here. The more a heap
 * may hold, the later it collects old ones: those of a scan worker, of which 45 MiB are alive, at 110 MiB where it may take
 * what the machine has, at 75 where it may take a gibibyte, which is several times what any of these processes needs.
 */
const NODE_OPTIONS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=4',
  '--max-old-space-size=1024',
];

function nodeChild(input: {
  name: string;
  args: readonly string[];
  env: Record<string, string>;
  ready: (signal: AbortSignal) => Promise<void>;
  stopGraceMs?: number;
}): ChildSpec {
  const program = fileURLToPath(new URL('./cli.ts', import.meta.url));
  return {
    name: input.name,
    command: process.execPath,
    args: [...NODE_OPTIONS, program, ...input.args],
    env: { ...input.env, NODE_COMPILE_CACHE: COMPILE_CACHE, SECU_LOG_FORMAT: 'json' },
    ipc: true,
    stopSignal: 'SIGTERM',
    stopGraceMs: input.stopGraceMs ?? CHILD_GRACE_MS,
    ready: input.ready,
    readyTimeoutMs: CHILD_READY_MS,
  };
}

/** A worker says on a port of its own that it polls. */
async function workerChild(input: {
  name: string;
  queues: string;
  env: Record<string, string>;
  stopGraceMs?: number;
}): Promise<ChildSpec> {
  const { stopGraceMs = CHILD_GRACE_MS } = input;
  const port = await freePort();
  return nodeChild({
    name: input.name,
    stopGraceMs,
    args: ['worker', '--queues', input.queues, '--health-port', String(port)],
    env: input.env,
    ready: (signal) => answers(`http://127.0.0.1:${port}/healthz`, signal),
  });
}

function loopback({ http }: Config): string {
  const host = http.host === '0.0.0.0' || http.host === '::' ? '127.0.0.1' : http.host;
  return `${host.includes(':') ? `[${host}]` : host}:${http.port}`;
}

const LOOK_AGAIN_MS = 50;

/** Resolves once the address answers 200; looks again until then. */
async function answers(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { signal, redirect: 'manual' });
      if (response.ok) return;
    } catch (err) {
      if (signal.aborted) throw err;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
