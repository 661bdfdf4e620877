import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSetupLink } from '../api/auth/setup-link.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { SecuError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import type { HeldHome } from '../embedded/home.ts';
import { acquireHome, freePort } from '../embedded/home.ts';
import { startPostgres } from '../embedded/postgres.ts';
import type { PrintLine } from '../embedded/print-line.ts';
import { endLeftovers } from '../embedded/processes.ts';
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
  /** A one-time link for the first administrator; `null` if there is one. */
  setupLink(): Promise<string | null>;
  supervisor: Supervisor;
  stop(): Promise<void>;
}

export interface StackInput {
  config: Config;
  env: Environment;
  printLine: PrintLine;
  /** Called after each step, with its duration in ms. */
  onStep?: (step: { name: string; ms: number }) => void;
  /** Runs before Secu's own processes start. Its result is added to their environment. */
  beforeSecu?: (parts: { supervisor: Supervisor; home: HeldHome }) => Promise<Record<string, string>>;
}

const CHILD_READY_MS = 60_000;
const CHILD_GRACE_MS = 35_000;
/** A running rotation is not interrupted. Without one, this worker stops as fast as the others. */
const ROTATING_GRACE_MS = 5 * 60_000 + CHILD_GRACE_MS;

/**
 * Runs all of Secu under one supervisor: PostgreSQL and Temporal unless they are configured, migrations, API, workers.
 * Ends leftover processes of an earlier start first.
 * @throws SecuError `home_in_use` | `embedded_failed` | `tool_unavailable` | `schema_mismatch`
 */
export async function startStack(input: StackInput): Promise<Stack> {
  const { config, printLine } = input;
  disableCoreDumps(); // for every process of the stack; each reports it again
  const home = acquireHome(config.home);
  const supervisor = createSupervisor({ layout: home, printLine });
  const stop = async () => {
    await supervisor.stop();
    home.release();
  };
  try {
    await endLeftovers(home, printLine);
    await assertPortFree(config);
    return { ...(await startParts({ ...input, home, supervisor })), supervisor, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

/** Checks the port before anything starts. @throws SecuError `embedded_failed` */
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
    `cannot listen on ${http.host}:${http.port}: the port is in use or not permitted; choose another with SECU_PORT or SECU_HOST`,
  );
}

async function startParts(input: StackInput & { home: HeldHome; supervisor: Supervisor }) {
  const { config, home, supervisor } = input;
  const timed = createStepTimer(input.onStep ?? (() => {}));
  const bundle = timed('workflow bundle', () => prepareCompiledFiles(input.printLine));
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
      ready: (signal) => waitUntilOk(`http://${loopback(config)}/readyz`, signal),
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
 * Builds the workflow bundle and fills the compile cache in child processes that then exit, because the compilers would stay
 * in the memory of the workers. If the files cannot be written, each process compiles for itself.
 */
async function prepareCompiledFiles(printLine: PrintLine): Promise<void> {
  if (hasWorkflowBundle() && existsSync(COMPILE_CACHE)) return;
  const [bundled] = await Promise.all([
    runProgramToEnd('./bundle.ts'),
    runProgramToEnd('./cli.ts', '--version'),
  ]);
  if (!bundled && !hasWorkflowBundle())
    printLine('the workflow bundle is built at each start, because the program folder is not writable');
}

/** @returns whether the exit code was 0 */
async function runProgramToEnd(program: string, ...args: readonly string[]): Promise<boolean> {
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
    const link = await createSetupLink({ database, publicUrl, now: new Date(), actor: 'system' });
    return link?.url ?? null;
  } finally {
    await database.close();
  }
}

function createStepTimer(onStep: (step: { name: string; ms: number }) => void) {
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
  printLine,
}: StackInput & { home: HeldHome; supervisor: Supervisor }): Promise<string> {
  if (config.database.url !== null) return config.database.url.value();
  return (await startPostgres({ layout: home, supervisor, printLine })).url;
}

async function temporalOf({
  config,
  home,
  supervisor,
  printLine,
}: StackInput & { home: HeldHome; supervisor: Supervisor }) {
  if (config.temporal.address !== null) return { env: {}, uiUrl: config.temporal.uiUrl };
  const tool = await requireTool('temporal', { paths: config.toolPaths, printLine });
  const { address, namespace, uiUrl } = await startTemporalServer({
    layout: home,
    supervisor,
    printLine,
    tool,
  });
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
 * Passes on only the settings of Secu and Temporal and a few system variables. The database URL is passed in a file, also when
 * it came from a variable.
 */
function childEnvironment(env: Environment): Record<string, string> {
  const own = Object.entries(env).filter(
    ([name, value]) => value !== undefined && /^(SECU_|TEMPORAL_|TZ$|LANG$|HOME$|XDG_CACHE_HOME$)/.test(name),
  );
  return { PATH: SYSTEM_PATH, ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ''])) };
}

/**
 * By default, V8 collects young objects only after 48 MiB per isolate; 12 MiB are as fast here. A larger heap limit delays
 * the collection of old objects: a scan worker with 45 MiB of live objects collects at 110 MiB by default, and at 75 MiB
 * with a limit of 1 GiB, which is several times what any of these processes needs.
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

/** A worker process with a health port, by which the supervisor sees that it polls. */
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
    ready: (signal) => waitUntilOk(`http://127.0.0.1:${port}/healthz`, signal),
  });
}

function loopback({ http }: Config): string {
  const host = http.host === '0.0.0.0' || http.host === '::' ? '127.0.0.1' : http.host;
  return `${host.includes(':') ? `[${host}]` : host}:${http.port}`;
}

const POLL_INTERVAL_MS = 50;

/** Polls the URL until it responds with 200. */
async function waitUntilOk(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { signal, redirect: 'manual' });
      if (response.ok) return;
    } catch (err) {
      if (signal.aborted) throw err;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}
