import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';
import type { HomeLayout } from './home.ts';
import { acquireHome, persistentPort } from './home.ts';
import type { PrintLine } from './print-line.ts';
import { endLeftovers } from './processes.ts';
import type { ChildSpec, Supervisor } from './supervisor.ts';
import { createSupervisor } from './supervisor.ts';

/** The namespace of the embedded server. */
export const TEMPORAL_NAMESPACE = 'secu';

const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;

const SEARCH_ATTRIBUTES = ['SecuIntegrationId=Keyword', 'SecuStatus=Keyword', 'SecuNextWakeAt=Datetime'];

/** A separate server (`deploy/`) uses these too. @see Temporal server, common/dynamicconfig */
const DYNAMIC_CONFIG = [
  // the default limit of 20 polls a second delays every sequential step by 50 ms
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  // without this, a second command within a second after continue-as-new waits for the rest of that second
  'history.workflowIdReuseMinimalInterval="0s"',
];
/** For the development server, which runs all services in one process. */
const ONE_PROCESS = [
  // the development server would read the search attributes from the database for each task; ours exist before it starts
  'system.forceSearchAttributesCacheRefreshOnRead=false',
  // the default is 8,096: ended workflows stay in memory until this many others displace them
  'history.hostLevelCacheMaxSize=512',
  // by default a queue has four partitions that forward tasks to each other; one process does not need them
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
];
/** Lists of workflows may lag by half a second; a workflow that ends within it is written once less. */
const LISTED_LATER = 'history.visibilityProcessorMaxPollRPS=2';
const TIME_SKIPPING = 'frontend.WorkflowTimeSkippingEnabled=true';

/** WAL and NORMAL lose nothing when the server is killed, and double its throughput. */
const SQLITE_PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

export interface RunningTemporal {
  /** `host:port` of the gRPC frontend. */
  readonly address: string;
  readonly namespace: string;
  /** The web UI, without a trailing slash; null when it is off. */
  readonly uiUrl: string | null;
}

/**
 * Starts the embedded Temporal server of a locked home under the supervisor and resolves when its namespace can be
 * used. Its ports stay the same across restarts. Its store is deleted when the minor version of the server
 * changes, because a newer server does not migrate the file. All permanent data is in PostgreSQL.
 * @param options `tool`: the Temporal CLI and the version that it reports
 * @throws SecuError `embedded_failed`
 */
export async function startTemporalServer({
  layout,
  supervisor,
  printLine,
  tool,
}: {
  layout: HomeLayout;
  supervisor: Supervisor;
  printLine: PrintLine;
  tool: { path: string; version: string };
}): Promise<RunningTemporal> {
  dropStoreOfOtherVersion({ layout, version: tool.version, printLine });
  const port = await persistentPort(join(layout.run, 'temporal.port'));
  const uiPort = await persistentPort(join(layout.run, 'temporal-ui.port'));
  const spec = temporalSpec({
    layout,
    path: tool.path,
    port,
    extra: [
      `--ui-port=${uiPort}`,
      '--ui-disable-news-fetch',
      `--db-filename=${join(layout.temporal, 'temporal.db')}`,
      `--dynamic-config-value=${LISTED_LATER}`,
      ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ],
  });
  await supervisor.start(spec);
  return { address: `127.0.0.1:${port}`, namespace: TEMPORAL_NAMESPACE, uiUrl: `http://127.0.0.1:${uiPort}` };
}

/** The addresses of the embedded Temporal server of a running home, or null if it was never started. */
export function findTemporal(layout: HomeLayout): RunningTemporal | null {
  const [port, uiPort] = ['temporal.port', 'temporal-ui.port'].map((name) => {
    const file = join(layout.run, name);
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : null;
  });
  if (!port || !uiPort) return null;
  return { address: `127.0.0.1:${port}`, namespace: TEMPORAL_NAMESPACE, uiUrl: `http://127.0.0.1:${uiPort}` };
}

/**
 * Starts a Temporal server for tests: in memory, without UI, with workflow time that can be skipped. It ends with
 * its parent if `setpriv` is installed, and at the latest at the next start in the same folder. `stop` removes the
 * folder.
 */
export async function startThrowawayTemporal({
  folder,
  path,
  printLine = () => {},
}: {
  folder: string;
  path: string;
  printLine?: PrintLine;
}): Promise<RunningTemporal & { stop: () => Promise<void> }> {
  const layout = acquireHome(folder);
  await endLeftovers(layout, printLine);
  const supervisor = createSupervisor({ layout, printLine });
  const stop = async () => {
    await supervisor.stop();
    layout.release();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const port = await persistentPort(join(layout.run, 'temporal.port'));
    const extra = ['--headless', '--dynamic-config-value', TIME_SKIPPING];
    await supervisor.start(temporalSpec({ layout, path, port, extra }));
    return { address: `127.0.0.1:${port}`, namespace: TEMPORAL_NAMESPACE, uiUrl: null, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

function temporalSpec({
  layout,
  path,
  port,
  extra,
}: {
  layout: HomeLayout;
  path: string;
  port: number;
  extra: readonly string[];
}): ChildSpec {
  return {
    name: 'temporal',
    command: path,
    args: [
      'server',
      'start-dev',
      '--ip=127.0.0.1',
      `--port=${port}`,
      `--namespace=${TEMPORAL_NAMESPACE}`,
      '--log-level=warn',
      '--log-format=json',
      ...SEARCH_ATTRIBUTES.flatMap((attribute) => ['--search-attribute', attribute]),
      ...[...DYNAMIC_CONFIG, ...ONE_PROCESS].flatMap((value) => ['--dynamic-config-value', value]),
      ...extra,
    ],
    // its own HOME, so that no Temporal profile of a user applies; the memory limit is soft and triggers garbage collection
    env: { PATH: SYSTEM_PATH, HOME: layout.temporal, TZ: 'UTC', GOMEMLIMIT: '200MiB' },
    cwd: layout.temporal,
    stopSignal: 'SIGTERM',
    stopGraceMs: STOP_GRACE_MS,
    ready: (signal) => untilUsable(`127.0.0.1:${port}`, signal),
    readyTimeoutMs: READY_TIMEOUT_MS,
  };
}

/** Waits until the namespace accepts workflows and knows our search attributes. */
async function untilUsable(address: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    // A refused gRPC channel waits a second before it retries; a plain connection notices the server earlier.
    if ((await isListening(address)) && (await isUsable(address))) return;
    await delay(50, undefined, { signal });
  }
}

function isListening(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

/** Whether the server at this address serves our namespace. */
export async function isUsable(address: string, namespace: string = TEMPORAL_NAMESPACE): Promise<boolean> {
  const connection = Connection.lazy({ address });
  try {
    return await connection.withDeadline(Date.now() + 1_000, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      await connection.workflowService.countWorkflowExecutions({ namespace, query: 'SecuStatus = "active"' });
      return true;
    });
  } catch {
    return false; // not ready: refused, no namespace, or search attributes not visible yet
  } finally {
    await connection.close();
  }
}

/** The partitions of the store's task queues. Tasks in a partition that is no longer polled would wait forever. */
const QUEUES = 'one partition';

function dropStoreOfOtherVersion({
  layout,
  version,
  printLine,
}: {
  layout: HomeLayout;
  version: string;
  printLine: PrintLine;
}): void {
  const file = join(layout.temporal, 'server-minor');
  const minor = /Server (\d+\.\d+)/.exec(version)?.[1] ?? version;
  const [minorBefore, queuesBefore] = existsSync(file)
    ? readFileSync(file, 'utf8').split('\n')
    : [minor, QUEUES];
  if (minorBefore !== minor || queuesBefore !== QUEUES) {
    const what = minorBefore === minor ? 'has other queues now' : `${minorBefore ?? ''} became ${minor}`;
    printLine(
      `Temporal server ${what}: its store is made anew, workflows are started again from the database`,
    );
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(join(layout.temporal, `temporal.db${suffix}`), { force: true });
  }
  writeFileSync(file, `${minor}\n${QUEUES}\n`, { mode: 0o600 });
}
