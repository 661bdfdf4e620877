import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import type { Logger, Worker } from '@temporalio/worker';
import { Runtime } from '@temporalio/worker';
import type { ActivityDeps, GitlabDeps } from '../activities/deps.ts';
import { createIntegrationActivities } from '../activities/integration.ts';
import { createReconcileActivities } from '../activities/reconcile.ts';
import { createFleetActivities } from '../activities/scan/fleet.ts';
import { createScanActivities } from '../activities/scan/scan.ts';
import { createListingActivities } from '../activities/sync/listing.ts';
import { createSyncActivities } from '../activities/sync/sync.ts';
import { createVerifyActivities } from '../activities/token/verify.ts';
import { startDeliveryLoop } from '../background/delivery-loop.ts';
import { startOutboxLoop } from '../background/outbox-loop.ts';
import type { Config } from '../config/config.ts';
import { SecuError } from '../domain/errors.ts';
import { freePort } from '../embedded/home.ts';
import { openWorkFolder } from '../folder-lease/work-folder.ts';
import { createGitlabClient } from '../gitlab/client.ts';
import { createPacer } from '../gitlab/pacer.ts';
import type { Log } from '../log/logger.ts';
import type { ActivityMetrics } from '../metrics/activities.ts';
import { createActivityMetrics } from '../metrics/activities.ts';
import { createFailureInterceptor } from '../temporal/activity-failure.ts';
import { ensureReconcileSchedule } from '../temporal/starters.ts';
import type { QueueName, WorkerParts } from '../temporal/worker.ts';
import { connectWorker, createQueueWorker, createRotationWorker } from '../temporal/worker.ts';
import { keyedHash } from '../vault/vault.ts';
import { openDataKey } from './keys.ts';
import { notifierOf } from './notifier.ts';
import type { ProcessContext } from './process-context.ts';
import { channelPolicyOf, openProcessContext } from './process-context.ts';
import type { Rotator } from './rotator.ts';
import { openRotator, ROTATION } from './rotator.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { createScanTools } from './scan-tools.ts';
import { checkScannerIsolation } from './scanner-isolation.ts';
import { secuVersion } from './version.ts';
import { startReporting } from './worker-report.ts';
import { workflowBundle } from './workflow-bundle.ts';

const POOL_MAX = 20;
const DATABASE_SLOTS = 50;
const GITLAB_SLOTS = 20;
/** Clones wait for the network, scanners for the CPU: while some repositories are scanned, others are cloned or queued. */
const REPOSITORIES_PER_SCANNER = 12;

/** Runs workers for these queues until a stop signal. Rejects when one of them fails. */
export async function runWorker(input: {
  config: Config;
  queues: readonly QueueName[];
  /** Where `/healthz` is served; default: nowhere. */
  health?: { host: string; port: number } | null;
  /** Overrides {@link ROTATION}. */
  rotation?: Partial<typeof ROTATION>;
}): Promise<void> {
  const { config, queues } = input;
  const role = `worker:${queues.join('+')}`;
  const processContext = await openProcessContext({ config, role, poolMax: POOL_MAX });
  const { database, log } = processContext;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = createActivityMetrics(registry);
  const sdkPort = await installRuntime(log);
  // In containers two workers may have the same host name and pid.
  const identity = `${role}@${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`;
  const connection = await connectWorker({ ...processContext.temporal, log });
  const deps = await gitlabDepsOf(processContext, metrics);
  if (queues.includes('scan'))
    await checkScannerIsolation({
      isolation: deps.scanTools.isolation,
      isRequired: config.requireIsolation,
      registry,
      log,
    });
  const rotation = { ...ROTATION, ...input.rotation };
  const workers = await createWorkers({
    queues,
    processContext,
    deps,
    metrics,
    connection,
    identity,
    rotation,
  });
  const stopDispatcher = queues.includes('orchestration')
    ? await startOrchestrating(processContext, deps)
    : null;
  const stopReporting = startReporting({ id: identity, queues, registry, sdkPort, database, log });
  const running = workers.run();
  const health = input.health == null ? null : serveHealth(input.health, workers.isRunning);
  log.info({ queues }, 'worker is polling');

  const stopped = runUntilStopped(async () => {
    workers.drain();
    health?.close();
    await stopDispatcher?.();
    workers.shutdown();
    await running;
    await workers.close();
    await deps.scanTools.close();
    await stopReporting();
    await connection.close();
    await processContext.close();
  });
  await Promise.race([stopped, running.then(() => stopped)]);
}

/** One worker per queue, and one for rotations next to the queue `gitlab`. */
async function createWorkers(input: {
  queues: readonly QueueName[];
  processContext: ProcessContext;
  deps: WorkerDeps;
  metrics: ActivityMetrics;
  connection: WorkerParts['connection'];
  identity: string;
  rotation: typeof ROTATION;
}) {
  const { queues, processContext, deps, metrics, connection, identity } = input;
  const common = {
    connection,
    namespace: processContext.temporal.namespace,
    identity,
    interceptor: (context: Parameters<WorkerParts['interceptor']>[0]) =>
      createFailureInterceptor({ log: processContext.log, metrics, context }),
  };
  const workers: Worker[] = [];
  const closings: (() => Promise<void>)[] = [];
  const rotator = queues.includes('gitlab')
    ? await openRotator({ context: processContext, deps, settings: input.rotation })
    : null;
  for (const queue of queues) {
    const { close, ...parts } = await queuePartsOf({ queue, processContext, deps, rotator });
    workers.push(await createQueueWorker(queue, { ...common, ...parts }));
    if (close !== undefined) closings.push(close);
  }
  if (rotator !== null) workers.push(await createRotationWorker({ ...common, ...rotator }));
  return {
    run: () => Promise.all(workers.map((worker) => worker.run())),
    isRunning: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    /** Starts no further rotation. */
    drain: () => rotator?.drain(),
    shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    /** Called after all workers have stopped. */
    async close(): Promise<void> {
      await rotator?.close();
      for (const close of closings) await close();
    },
  };
}

type WorkerDeps = GitlabDeps & { scanTools: Awaited<ReturnType<typeof createScanTools>> };

async function gitlabDepsOf(processContext: ProcessContext, metrics: ActivityMetrics): Promise<WorkerDeps> {
  const { config, policy, log } = processContext;
  const scanTools = await createScanTools({ config, policy, log });
  const pacer = createPacer({ perSecond: config.gitlab.requestsPerSecond });
  return {
    ...activityDepsOf(processContext, metrics),
    gitlab: createGitlabClient({ policy, pacer, userAgent: `Secu/${secuVersion()}` }),
    git: scanTools.git,
    rules: scanTools.scanners.rules,
    scanTools,
  };
}

function activityDepsOf(
  { config, database, vault, starters, log }: ProcessContext,
  metrics: ActivityMetrics,
): ActivityDeps {
  return {
    database,
    vault,
    starters,
    log,
    metrics,
    settings: {
      expiryThresholds: config.expiryThresholds,
      verifyIntervalMs: config.intervals.verifyMs ?? 0,
      syncIntervalMs: config.intervals.syncMs ?? 0,
      fullSyncIntervalMs: config.intervals.fullSyncMs,
      quietHours: config.quietHours,
      scanIntervalMs: config.intervals.scanMs ?? 0,
      history: config.history,
      clones: config.gitlab.clones,
      diskReserveBytes: config.limits.diskReserveBytes,
      retentionMs: config.retentionMs ?? 0,
    },
  };
}

type QueueParts = Pick<WorkerParts, 'activities' | 'slots' | 'workflowBundle'> & {
  /** Called after the worker has stopped. */
  close?: () => Promise<void>;
};

async function queuePartsOf(input: {
  queue: QueueName;
  processContext: ProcessContext;
  deps: WorkerDeps;
  rotator: Rotator | null;
}): Promise<QueueParts> {
  const { queue, processContext, deps, rotator } = input;
  switch (queue) {
    case 'orchestration':
      return {
        slots: DATABASE_SLOTS,
        workflowBundle: await workflowBundle(),
        activities: {
          ...createIntegrationActivities(deps),
          ...createSyncActivities(deps),
          ...createFleetActivities(deps),
          ...createReconcileActivities(deps),
        },
      };
    case 'gitlab':
      return {
        slots: GITLAB_SLOTS,
        activities: {
          ...createVerifyActivities(deps),
          ...createListingActivities(deps),
          ...rotator?.activities,
        },
      };
    case 'scan':
      return scanParts(processContext, deps);
  }
}

async function scanParts(processContext: ProcessContext, deps: WorkerDeps): Promise<QueueParts> {
  const { config, database, vault } = processContext;
  const workFolder = await openWorkFolder({
    parent: join(config.home, 'work', 'scans'),
    log: processContext.log,
  });
  const dataKey = await openDataKey({ vault, database, name: 'fingerprint' });
  const { scanners } = deps.scanTools;
  const hash = (text: string) => keyedHash({ dataKey, purpose: 'fingerprint', text });
  return {
    slots: config.limits.scanSlots * REPOSITORIES_PER_SCANNER,
    activities: createScanActivities({
      ...deps,
      scanners,
      workFolder: workFolder.path,
      hash,
    }),
    close: () => workFolder.close(),
  };
}

/** Creates the reconcile schedule, and starts the loops that send outbox rows and deliveries. */
async function startOrchestrating(
  processContext: ProcessContext,
  deps: ActivityDeps,
): Promise<() => Promise<void>> {
  try {
    await ensureReconcileSchedule({ client: processContext.temporalClient.client });
  } catch (err) {
    throw new SecuError('temporal_unavailable', 'the reconcile schedule could not be created', {
      cause: err,
    });
  }
  const policy = channelPolicyOf(processContext.config);
  const notifier = notifierOf({ ...processContext, policy });
  const stopDispatcher = startOutboxLoop(deps);
  const stopDeliveries = startDeliveryLoop({
    ...deps,
    notifier,
    publicUrl: processContext.config.http.publicUrl,
  });
  return async () => {
    await Promise.all([stopDispatcher(), stopDeliveries()]);
    await policy.close();
  };
}

/** Exposes the metrics of Temporal's SDK on a loopback port, with Prometheus names and units. @returns the port */
async function installRuntime(log: Log): Promise<number> {
  const port = await freePort();
  const prometheus = {
    bindAddress: `127.0.0.1:${port}`,
    countersTotalSuffix: true,
    unitSuffix: true,
    useSecondsForDurations: true,
  };
  Runtime.install({
    logger: sdkLogger(log),
    telemetryOptions: { metrics: { prometheus, attachServiceName: false } },
  });
  return port;
}

/** Responds with 200 while every worker runs. */
function serveHealth({ host, port }: { host: string; port: number }, isRunning: () => boolean): Server {
  return createServer((_request, response) => {
    const running = isRunning();
    response
      .writeHead(running ? 200 : 503, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ status: running ? 'ok' : 'stopping' }));
  }).listen(port, host);
}

/** Logs warnings and errors of the SDK. Our interceptor logs failed activities, with their reason. */
function sdkLogger(log: Log): Logger {
  const ignore = () => {};
  const warn = (message: string) => {
    if (!ALREADY_LOGGED.has(message)) log.warn({ sdk: true }, message);
  };
  return {
    log: ignore,
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn,
    error: (message) => log.error({ sdk: true }, message),
  };
}

const ALREADY_LOGGED = new Set([
  'Activity failed',
  'No workflows registered, not polling for workflow tasks',
]);
